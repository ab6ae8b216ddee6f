"""What a worker's process takes from this one is given back."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from xentfuzz.errors import UsageError
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.worker_process import WorkerProcess


def open_files():
    gc.collect()  # a mapping holds a descriptor of its own
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_start_that_fails_leaves_no_file_open(tmp_path):
    before = open_files()
    for _ in range(3):
        with pytest.raises(UsageError, match="can't start"):
            WorkerProcess({}, str(tmp_path / "python"), Limits())
    assert open_files() == before


def test_a_worker_that_was_closed_leaves_no_file_open():
    before = open_files()
    worker = WorkerProcess({}, None, Limits())
    assert open_files() > before
    worker.close()
    del worker
    assert open_files() == before
