"""What every test starts from: few threads, and Hypothesis without time limits, randomness or a store."""

from __future__ import annotations

import os

# Before any array library is imported, here or in a child: two test processes share two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "2")

import hypothesis

pytest_plugins = ["pytester"]

hypothesis.settings.register_profile("xentfuzz", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("xentfuzz")
