"""What every test starts from: few threads, and Hypothesis without time limits, randomness or a store."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

# Before any array library is imported, here or in a child: two test processes share two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "2")

import hypothesis
import pytest

pytest_plugins = ["pytester"]

hypothesis.settings.register_profile("xentfuzz", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("xentfuzz")


@pytest.fixture(autouse=True)
def _own_import_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands that run in this process put the current directory on the import path; the next test must not find its modules there."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    temporary = str(tmp_path_factory.getbasetemp())
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(temporary):
            del sys.modules[name]
