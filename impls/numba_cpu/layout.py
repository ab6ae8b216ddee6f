"""Where rows lie: arrays of any rank and strides as rows of classes, without a copy.

The positions of an array are all its axes but that of the classes. Neighbouring positions have the same distance as long as they belong to
one run; `runs` are the beginnings. (N, C) is one run of N positions, (N, C, H, W) are N runs of H W, and odd strides make more of them.
Kernels take blocks of positions, none of which reaches into another run; results do not depend on which thread takes which.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple, get_type_hints

import numpy as np

Array = np.ndarray[Any, Any]

# A tile of float32, or the half of one of float64, takes half of the first-level cache; more classes are taken tile by tile.
TILE_BYTES = {4: 16384, 8: 8192}
# What a block of rows keeps of its exponentials for the gradient: half of the usual second-level cache. Beyond it they are computed again.
KEPT_BYTES = 524288
LARGEST_BLOCK = 64
# Results from this size on are written past the caches, which could not hold them.
STREAMING_BYTES = 1 << 25
NUMBERS = 6  # what is known of each row of a block, see `statistics`
LANES = 16  # rows that are taken together, see `side_by_side`
# Up to so many classes that lie side by side, and up to so many where the positions do. Measured (float32, one core, AVX-512; nanoseconds
# for each row, loss and loss with gradient): 12 and 16 at 16 classes, where a vector along each row takes 75 and 90; as fast at about 200.
MOST_CLASSES_TRANSPOSED, MOST_CLASSES_IN_PLACE = 128, 2048


class Rows(NamedTuple):
    """address: of the first element, 0 for no array; runs: address of the runs' offsets; step, class_step: to the next position, class.

    All in bytes.
    """

    address: int
    runs: int
    step: int
    class_step: int


class Extent(NamedTuple):
    """runs times per_run positions of so many classes; how many positions are a block, classes a tile, blocks the share of a thread.

    side_by_side: LANES rows are taken together (see `side_by_side`); a tile is then all classes. streaming: results are written past the
    caches, where their classes lie side by side.
    """

    runs: int
    per_run: int
    classes: int
    block: int
    tile: int
    share: int
    side_by_side: bool = False
    streaming: bool = False


class Place(NamedTuple):
    """Room for a tile of a block: its address, and the bytes from row to row."""

    address: int
    step: int


class Room(NamedTuple):
    """What one thread works with. numbers: NUMBERS of each row of a block; references: what each kept tile was reduced by; their addresses.

    kept: exponentials, of whole rows where `whole`, else of one tile; first, second, out: tiles of arrays whose classes lie apart.
    """

    numbers: int
    references: int
    whole: bool
    kept: Place
    first: Place
    second: Place
    out: Place


NOWHERE = Rows(0, 0, 0, 0)


def _merged(shape: list[int], strides: list[list[int]]) -> tuple[list[int], list[list[int]]]:
    """Axes of one element left out, and neighbouring ones joined where every array can be walked as if they were one."""
    axes: list[tuple[int, list[int]]] = []
    for number, length in enumerate(shape):
        if length == 1:
            continue
        steps = [each[number] for each in strides]
        if axes and all(outer == length * inner for outer, inner in zip(axes[-1][1], steps, strict=True)):
            axes[-1] = axes[-1][0] * length, steps
        else:
            axes.append((length, steps))
    return [length for length, _ in axes], [[steps[i] for _, steps in axes] for i in range(len(strides))]


def address_of(array: Array) -> int:
    """Of the first element. Whoever passes it on keeps the array alive."""
    address: int = array.__array_interface__["data"][0]
    return address


_NO_OFFSET = np.zeros(1, np.int64)
_ADDRESS_OF_NO_OFFSET = address_of(_NO_OFFSET)


def rows_of(arrays: Sequence[Array], class_axis: int) -> tuple[list[Rows], Array, int, int]:
    """Each array, of the same shape, as Rows; what their `runs` point into; how many runs there are, and how many positions in each."""
    if class_axis == arrays[0].ndim - 1 and all(each.flags.c_contiguous for each in arrays):
        # What nearly every call has: looking at axes one by one takes a tenth of the fixed cost of a call.
        length = arrays[0].shape[class_axis]
        found = [Rows(address_of(each), _ADDRESS_OF_NO_OFFSET, length * each.itemsize, each.itemsize) for each in arrays]
        return found, _NO_OFFSET, 1, arrays[0].size // length
    shape = list(arrays[0].shape)
    del shape[class_axis]
    strides = [[step for axis, step in enumerate(each.strides) if axis != class_axis] for each in arrays]
    lengths, steps = _merged(shape, strides)
    outer, inner = lengths[:-1], lengths[-1] if lengths else 1
    offsets = np.zeros((len(arrays), math.prod(outer)), np.int64)
    for array, walk in enumerate(steps):
        runs = offsets[array, :1]
        for length, step in zip(outer, walk[:-1], strict=True):
            runs = np.add.outer(runs, np.arange(length) * step).reshape(-1)
        offsets[array] = runs
    found = [
        Rows(address_of(array), address_of(offsets) + number * offsets.strides[0], walk[-1] if walk else 0, array.strides[class_axis])
        for number, (array, walk) in enumerate(zip(arrays, steps, strict=True))
    ]
    return found, offsets, offsets.shape[1], inner


def extent_of(runs: int, per_run: int, classes: int, itemsize: int, *, apart: bool) -> Extent:
    """apart: whether some array's classes do not lie side by side, so that tiles are copied, in squares of rows and classes."""
    tile = min(classes, TILE_BYTES[itemsize] // itemsize)
    fitting = TILE_BYTES[4] // itemsize // classes
    block = max(min(fitting, LARGEST_BLOCK), 16 if apart else 1)
    if apart and tile < classes:
        tile = TILE_BYTES[4] // itemsize // 4
    block = min(block, max(per_run, 1))
    return Extent(runs, per_run, classes, block, tile, max(1, 16384 // (block * classes)))


def extent_side_by_side(runs: int, per_run: int, classes: int) -> Extent:
    block = min(LARGEST_BLOCK, max(per_run, 1))
    return Extent(runs, per_run, classes, block, classes, max(1, 16384 // (block * classes)), side_by_side=True)


def room_side_by_side(extent: Extent, itemsize: int) -> tuple[Room, Array]:
    """Room for a group of LANES rows: their numbers, their exponentials, and tiles in the place of arrays whose positions lie apart."""
    tile = extent.classes * LANES * itemsize
    numbers = 8 * NUMBERS * LANES
    memory = np.empty(numbers + 4 * tile, np.uint8)
    start = address_of(memory)
    kept, first, second, out = (Place(start + numbers + number * tile, LANES * itemsize) for number in range(4))
    return Room(start, 0, whole=True, kept=kept, first=first, second=second, out=out), memory


def new_room(extent: Extent, itemsize: int, *, keep: bool, copies: Sequence[bool]) -> tuple[Room, Array]:
    """Room, and the memory that it is in. keep: whether exponentials are used again; copies: which arrays' tiles are copied."""
    whole = keep and extent.block * extent.classes * itemsize <= KEPT_BYTES and (extent.block == 1 or extent.tile >= extent.classes)
    tiles = -(-extent.classes // extent.tile)
    step = (extent.tile + 16) * itemsize
    kept_step = extent.classes * itemsize if whole else step
    sizes = [
        8 * NUMBERS * extent.block,
        8 * extent.block * tiles if whole else 0,
        kept_step * (extent.block if whole else 1) if keep else 0,
    ]
    sizes += [step * extent.block if copy else 0 for copy in copies]
    memory = np.empty(sum(sizes), np.uint8)
    numbers, references, kept, first, second, out = (address_of(memory) + sum(sizes[:number]) for number in range(len(sizes)))
    room = Room(numbers, references, whole, Place(kept, kept_step), Place(first, step), Place(second, step), Place(out, step))
    return room, memory


def record_of(fields: Any) -> Array:
    """A NamedTuple of numbers and of such tuples as a one-element structured array, which compiled functions pass on by its address."""
    kind: Any = type(fields)
    return np.array([fields], _dtype_of(kind))


@functools.cache
def _dtype_of(kind: Any) -> np.dtype[Any]:
    plain = {int: np.int64, bool: np.int64, float: np.float64}
    return np.dtype([(name, plain.get(each) or _dtype_of(each)) for name, each in get_type_hints(kind).items()])
