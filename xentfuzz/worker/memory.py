"""Memory that this process and a worker share: a file descriptor without a file, mapped by both, which grows.

Arrays lie at multiples of 64 bytes, so that an array's alignment is that of its offset in its own storage.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Any

import numpy as np

ALIGNMENT = 64
SMALLEST = 1 << 20

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def anonymous_file() -> int:
    """A descriptor of memory; of a file that has no name any more where the system has no memfd."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("xentfuzz")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Arena:
    """The mapping of a shared descriptor. Either side may grow it; the other one notices by `reach`."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.bytes: Bytes = np.zeros(0, np.uint8)
        self.reach(SMALLEST)

    def reach(self, size: int) -> None:
        """Make at least `size` bytes accessible. An earlier mapping stays valid as long as an array uses it."""
        if size <= self.bytes.size:
            return
        present = os.fstat(self.descriptor).st_size
        if size > present:
            present = max(aligned(size), 2 * present)
            os.ftruncate(self.descriptor, present)
        self.bytes = np.frombuffer(mmap.mmap(self.descriptor, present), np.uint8)

    def part(self, offset: int, size: int) -> Bytes:
        """Raises IndexError outside the arena: a worker's reply may be garbage."""
        if offset < 0 or size < 0 or offset + size > self.bytes.size:
            raise IndexError(f"{size} bytes at {offset} are outside of {self.bytes.size}")
        return self.bytes[offset : offset + size]
