"""Memory for large results: that of an earlier result which nobody holds any more, where there is such.

Fresh memory costs more than the arithmetic: the system clears every page before it is touched for the first time. Measured (131 MB of
gradient, two cores): filling fresh memory 40 ms, memory that was used before 11 ms.

At most one buffer is kept, the last one, and none beyond LARGEST bytes. Whoever holds a result, a view of it or an export of its buffer
holds a reference to that buffer; it is used again only when ours is the last.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# Smaller results come from memory that the C library keeps anyway.
SMALLEST, LARGEST = 1 << 20, 1 << 28

_lock = threading.Lock()
_kept: list[Array] = [np.empty(0, np.uint8)]
_REFERENCES_OF_OURS = sys.getrefcount(_kept[0])  # as this Python counts them


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array in C order, of unspecified content."""
    size = math.prod(shape) * dtype.itemsize
    if not SMALLEST <= size <= LARGEST:
        return np.empty(shape, dtype)
    buffer = _take(size)
    return buffer[:size].view(dtype).reshape(shape)


def zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """The same, of zeros."""
    if not SMALLEST <= math.prod(shape) * dtype.itemsize <= LARGEST:
        return np.zeros(shape, dtype)
    array = empty(shape, dtype)
    array.view(np.uint8).fill(0)
    return array


def _take(size: int) -> Array:
    """A buffer that nobody else has, kept from now on in the place of the one before; one that is much larger than needed is let go."""
    with _lock:
        if sys.getrefcount(_kept[0]) > _REFERENCES_OF_OURS or not size <= _kept[0].size <= 2 * size:
            _kept[0] = np.empty(0, np.uint8)  # before the new one is made, as both may be large
            _kept[0] = np.empty(size, np.uint8)
        return _kept[0]


if hasattr(os, "register_at_fork"):
    # Another thread may hold the lock just then.
    os.register_at_fork(after_in_child=lambda: globals().__setitem__("_lock", threading.Lock()))
