"""Implementations that show what arrives at them, and return results of many sorts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

SEEN_AT_IMPORT = os.environ.get("XENTFUZZ_TEST", "0")


def copy_of_logits(logits, target):
    return logits.copy()


def environment_at_import(logits, target):
    return np.float64(SEEN_AT_IMPORT)


def foreign_folders(logits, target):
    """How many folders are on the path from which the harness has its own libraries."""
    assert "xentfuzz.worker.server" in sys.modules
    return np.float64(sum(entry == os.environ["XENTFUZZ_TEST_FOREIGN"] for entry in sys.path))


def no_library():
    return None if "xentfuzz.checks" in sys.modules else "no such library here"


def changes_logits(logits, target):
    logits[...] = 7
    return np.float32(0)


def writes_beyond_logits(logits, target):
    """One element past the end of what it was given, where a larger buffer goes on."""
    np.lib.stride_tricks.as_strided(logits, (logits.size + 1,), (logits.itemsize,), writeable=True)[-1] = 7
    return np.float32(0)


_SCRATCH = np.zeros(8)


def reuses_its_result(logits, target):
    _SCRATCH[...] = logits.flat[0]
    return _SCRATCH


def reverses_a_view(logits, target):
    return logits[::-1, ::2]


def refuses_half(logits, target):
    if logits.dtype.itemsize == 2:
        raise NotImplementedError("no 16-bit floats")
    return logits.dtype.type(0)


def needless_modules(logits, target):
    """How much of the harness's own a worker has imported beyond what it needs."""
    needed = ("worker", "subjects", "arrays", "dtypes", "errors", "implementation")
    ours = {name.split(".")[1] for name in sys.modules if name.startswith("xentfuzz.")} - {*needed}
    foreign = {"ml_dtypes", "msgspec", "hypothesis", "typer", "rich"} & set(sys.modules)
    assert not ours | foreign, ours | foreign
    return logits.dtype.type(0)


def leaves_a_file_where_code_is_kept(logits, target):
    folder = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    folder.mkdir(exist_ok=True)
    before = len(list(folder.iterdir()))
    (folder / f"code-{os.getpid()}").touch()
    return np.asarray(before)
