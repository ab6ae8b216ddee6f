"""Implementations that show what arrives at them, and return results of many sorts."""

from __future__ import annotations

import os
import sys

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
