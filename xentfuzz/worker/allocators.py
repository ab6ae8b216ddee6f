"""What fresh memory holds, as far as it can be chosen: glibc's allocator by mallopt, small blocks by using them first."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterable, Iterator

import numpy as np

from xentfuzz.worker.libraries.library import Unsupported

# glibc's parameters of mallopt (malloc.h).
PERTURB, MMAP_MAX = -6, -4
DEFAULT_MMAP_MAX = 65536
# Any bit beyond a byte keeps the parameter from being 0, which would turn it off; the byte itself is filled in inverted.
ENABLED = 0x100
# glibc's thread caches hold up to seven blocks of each size up to this one, and hand them out as they were freed.
CACHED_BYTES, CACHED_BLOCKS, GRAIN = 1040, 7, 16
# So do NumPy's, for blocks below this size.
NUMPY_CACHED_BYTES = 1024


@contextlib.contextmanager
def filled_memory(byte: int, sizes: Iterable[int]) -> Iterator[None]:
    """Within, memory from malloc holds `byte`, whatever its size, and so do the blocks of `sizes` bytes that NumPy keeps.

    Raises Unsupported where the C library has no such switch.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        raise Unsupported("the C library has no mallopt: unwritten memory can't be told from written")
    _set_types(library)
    # Large blocks from mmap would be zero whatever is asked for.
    library.mallopt(MMAP_MAX, 0)
    library.mallopt(PERTURB, ENABLED | (byte ^ 0xFF))
    try:
        _fill_small_blocks(library, byte)
        _fill_numpy_cache(byte, sizes)
        _require_filled(byte)
        yield
    finally:
        library.mallopt(PERTURB, 0)
        library.mallopt(MMAP_MAX, DEFAULT_MMAP_MAX)


def _set_types(library: ctypes.CDLL) -> None:
    library.malloc.restype = ctypes.c_void_p
    library.malloc.argtypes = [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]


def _fill_small_blocks(library: ctypes.CDLL, byte: int) -> None:
    blocks = [(library.malloc(size), size) for size in range(GRAIN + 8, CACHED_BYTES, GRAIN) for _ in range(CACHED_BLOCKS)]
    for address, size in blocks:
        ctypes.memset(address, byte, size)
    for address, _ in blocks:
        library.free(address)


def _fill_numpy_cache(byte: int, sizes: Iterable[int]) -> None:
    blocks = [np.empty(size, np.uint8) for size in sizes if size < NUMPY_CACHED_BYTES for _ in range(CACHED_BLOCKS)]
    for block in blocks:
        block.fill(byte)
    del blocks


def _require_filled(byte: int) -> None:
    """Raises Unsupported where the switch does nothing, as with another allocator in front of glibc's."""
    for size in (4000, 1 << 20):
        # Past the first bytes, in which a free block holds the allocator's own links.
        if (np.empty(size, np.uint8)[64:] != byte).any():
            raise Unsupported("the allocator in use can't be told what fresh memory holds")
