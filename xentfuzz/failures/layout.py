"""How an array lies in its storage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray


def is_plain(array: StridedArray) -> bool:
    """Whether the array lies in memory as NumPy makes a new one: C order, aligned, writeable, nothing around it."""
    view = array.view()
    return view.flags.c_contiguous and view.flags.aligned and array.writeable and array.storage.nbytes == view.nbytes


def gap_byte(array: StridedArray) -> int | None:
    """The one byte that fills the storage wherever the array's elements are not (0 where they are everywhere); None where it isn't one."""
    covered = StridedArray(np.zeros_like(array.storage), f"u{array.view().itemsize}", array.shape, array.strides, array.offset)
    covered.view()[...] = np.iinfo(covered.view().dtype).max
    gaps: np.ndarray[Any, Any] = array.storage[covered.storage == 0]
    if not gaps.size:
        return 0
    return int(gaps[0]) if (gaps == gaps[0]).all() else None


def distinct(array: StridedArray) -> StridedArray:
    """The array with one element along each axis of stride 0: every element of its memory once."""
    shape = tuple(min(length, 1) if stride == 0 else length for length, stride in zip(array.shape, array.strides, strict=True))
    return replace(array, shape=shape)
