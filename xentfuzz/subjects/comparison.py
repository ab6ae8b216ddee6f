"""Which arguments a call has written to: bits, not values, so that a NaN equals itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray

CHUNK = 1 << 20


def changed_arguments(before: Mapping[str, StridedArray], after: Mapping[str, StridedArray]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The arguments whose own bits differ, and those around which the storage differs."""
    suspects = [name for name, array in before.items() if not _same_bytes(array.storage, after[name].storage)]
    changed = tuple(name for name in suspects if not np.array_equal(_bits(before[name]), _bits(after[name])))
    return changed, tuple(name for name in suspects if _differs_outside(before[name], after[name]))


def _same_bytes(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    # In chunks: a comparison makes a mask of the arrays' size.
    return all(np.array_equal(first[at : at + CHUNK], second[at : at + CHUNK]) for at in range(0, first.size, CHUNK))


def _bits(array: StridedArray) -> np.ndarray[Any, Any]:
    width = 2 if array.dtype == "bfloat16" else np.dtype(array.dtype).itemsize
    return replace(array, dtype=f"u{width}", writeable=True).view()


def _differs_outside(before: StridedArray, after: StridedArray) -> bool:
    restored = after.fresh()
    _bits(restored)[...] = _bits(before)
    return not _same_bytes(before.storage, restored.storage)
