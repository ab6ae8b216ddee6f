"""Flags that kernels set for a class out of range, in memory of the host that devices may write.

A call takes a flag; reading it once its stream is done says whether its targets were in range. A call that is told not to check leaves
its flag to later calls, which look at all flags left so, without waiting for anything.
"""

from __future__ import annotations

import ctypes
import threading
from collections import OrderedDict

import numpy as np

from xentfuzz.impls.numba_cuda import driver
from xentfuzz.impls.numba_cuda.simulation import SIMULATED

COUNT = 4096
_SIZE = 8

_lock = threading.Lock()
_memory: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
_next = 0
# Flags of calls that were not checked: slot -> what the call was.
_unchecked: OrderedDict[int, str] = OrderedDict()


def _flags() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if not _memory:
        if SIMULATED:
            _memory.append(np.zeros(COUNT, np.int64))
        else:
            address = driver.pinned(COUNT * _SIZE)
            flags: np.ndarray[tuple[int], np.dtype[np.int64]] = np.ctypeslib.as_array((ctypes.c_int64 * COUNT).from_address(address))
            flags[:] = 0
            _memory.append(flags)
    return _memory[0]


def take() -> int:
    """A flag that is not set; of more than COUNT calls under way at once the oldest may lose theirs."""
    global _next  # noqa: PLW0603 - the ring's position
    with _lock:
        slot = _next
        _next = (_next + 1) % COUNT
        _unchecked.pop(slot, None)
        _flags()[slot] = 0
    return slot


def address(slot: int) -> int:
    return int(_flags().ctypes.data) + slot * _SIZE


def is_set(slot: int) -> bool:
    """Whether a kernel has set the flag so far."""
    return bool(_flags()[slot])


def leave(slot: int, words: str) -> None:
    """Let a later call find the flag. words: the call, for the message."""
    with _lock:
        _unchecked[slot] = words


def found_late() -> str | None:
    """Which unchecked call turned out to have a class out of range, once; None where none is known to."""
    if not _unchecked:
        return None
    with _lock:
        flags = _flags()
        for slot, words in _unchecked.items():
            if flags[slot]:
                del _unchecked[slot]
                return words
    return None
