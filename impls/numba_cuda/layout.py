"""How many blocks a kernel of `strided.py` gets, and how its threads stand."""

from __future__ import annotations

from xentfuzz.impls.numba_cuda.compiler import Specialisation
from xentfuzz.impls.numba_cuda.launch import Launcher

_WARP_SHIFT = 5
_CLASSES_PER_THREAD = 8


def columns_shift(threads: int, size: int, rows: int, classes: int, stride: int) -> int:
    """The power of 2 of how many neighbouring rows the threads of a block see to, `size` bytes a class, `stride` bytes apart.

    A warp reads neighbouring classes where these lie side by side, else neighbouring rows, which then do. Short rows get few threads.
    """
    all_threads = threads.bit_length() - 1
    lanes_shift = min((-(-classes // _CLASSES_PER_THREAD) - 1).bit_length(), all_threads)
    if stride != size and classes > 1:
        lanes_shift = min(lanes_shift, max(all_threads - _WARP_SHIFT, 0))
    return min(all_threads - lanes_shift, (rows - 1).bit_length())


def row_blocks(launcher: Launcher, which: Specialisation, rows: int, shift: int) -> int:
    """Blocks for so many rows, 2**shift at once; each goes on to further rows where the device cannot hold a block for every one."""
    return max(1, min(-(-rows >> shift), 4 * launcher.capacity(which)))
