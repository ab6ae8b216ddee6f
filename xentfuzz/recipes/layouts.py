"""How the same values may lie in memory. Whatever an array's storage holds besides its elements is poison: NaN, or -1 for labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import dtype_name
from xentfuzz.recipes.words import Array

# All bits set is a NaN in every float format and -1 in signed integers; a bool must stay 0 or 1 in every library.
_POISON = 0xFF
_MARGIN = 64  # bytes of poison before and after an array that lies inside a larger buffer; a multiple of every alignment


def _storage(size: int, dtype: np.dtype[Any], lead: int = 0) -> Array:
    return np.full(lead + size, 1 if dtype.kind == "b" else _POISON, np.uint8)


def _buffer(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Poisoned bytes, and an array over them."""
    storage = _storage(int(np.prod(shape, dtype=np.int64)) * dtype.itemsize, dtype)
    return storage, np.ndarray(shape, dtype, buffer=storage.data)


def _wrap(storage: Array, view: Array, values: Array) -> StridedArray:
    view[...] = values
    offset = view.__array_interface__["data"][0] - storage.__array_interface__["data"][0]
    return StridedArray(storage, dtype_name(values.dtype), view.shape, view.strides, offset)


def contiguous(values: Array) -> StridedArray:
    return StridedArray.of(values)


def _in_memory_order(values: Array, axes: tuple[int, ...]) -> StridedArray:
    """The axes in the order in which they lie in memory, slowest first."""
    storage, buffer = _buffer(tuple(values.shape[axis] for axis in axes), values.dtype)
    return _wrap(storage, buffer.transpose(np.argsort(axes)), values)


def fortran(values: Array) -> StridedArray:
    return _in_memory_order(values, tuple(reversed(range(values.ndim))))


def transposed(values: Array) -> StridedArray:
    """The first two axes exchanged in memory."""
    return _in_memory_order(values, (1, 0, *range(2, values.ndim)))


def channels_last(values: Array) -> StridedArray:
    """The class axis (1) innermost in memory."""
    return _in_memory_order(values, (0, *range(2, values.ndim), 1))


def sliced_rows(values: Array) -> StridedArray:
    """x[::2] of an array twice as long."""
    storage, buffer = _buffer((2 * values.shape[0], *values.shape[1:]), values.dtype)
    return _wrap(storage, buffer[::2], values)


def sliced_columns(values: Array) -> StridedArray:
    """x[..., ::2] of an array twice as wide."""
    storage, buffer = _buffer((*values.shape[:-1], 2 * values.shape[-1]), values.dtype)
    return _wrap(storage, buffer[..., ::2], values)


def first_columns(values: Array) -> StridedArray:
    """x[..., :k] of a wider array: the last stride is one element, the one before it is not the row's length."""
    storage, buffer = _buffer((*values.shape[:-1], values.shape[-1] + 3), values.dtype)
    return _wrap(storage, buffer[..., : values.shape[-1]], values)


def reversed_(values: Array) -> StridedArray:
    """Negative strides along every axis."""
    storage, buffer = _buffer(values.shape, values.dtype)
    return _wrap(storage, buffer[(slice(None, None, -1),) * values.ndim], values)


def _at_the_start(values: Array, axes: tuple[int, ...]) -> Array:
    """The values at index 0 of these axes, which are kept with length 1."""
    return values[tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(values.ndim))]


def _repeated(values: Array, axes: tuple[int, ...]) -> StridedArray:
    one = StridedArray.of(_at_the_start(values, axes))
    strides = tuple(0 if axis in axes else stride for axis, stride in enumerate(one.strides))
    return StridedArray(one.storage, one.dtype, values.shape, strides)


def _at(values: Array, offset: int, trailing: int) -> StridedArray:
    storage = _storage(values.nbytes + trailing, values.dtype, offset)
    view: Array = np.ndarray(values.shape, values.dtype, buffer=storage.data, offset=offset)
    return _wrap(storage, view, values)


def unaligned(values: Array) -> StridedArray:
    """One byte off its natural alignment."""
    return _at(values, 1, 0)


def inside_larger_buffer(values: Array) -> StridedArray:
    return _at(values, _MARGIN, _MARGIN)


def read_only(values: Array) -> StridedArray:
    array = StridedArray.of(values)
    return StridedArray(array.storage, array.dtype, array.shape, array.strides, array.offset, writeable=False)


@dataclass(frozen=True)
class Layout:
    """build: lays values out. minimum_rank: from which rank on it is a layout of its own.

    repeated: rank -> the axes of stride 0, along which the values at index 0 are everywhere.
    """

    build: Callable[[Array], StridedArray]
    minimum_rank: int = 0
    repeated: Callable[[int], tuple[int, ...]] = lambda _: ()

    @property
    def repeats(self) -> bool:
        """Whether it changes values, to repeated ones."""
        return bool(self.repeated(max(self.minimum_rank, 1)))


def _repeating(axes: Callable[[int], tuple[int, ...]], minimum_rank: int) -> Layout:
    return Layout(lambda values: _repeated(values, axes(values.ndim)), minimum_rank, axes)


LAYOUTS = {
    "contiguous": Layout(contiguous),
    "inside_larger_buffer": Layout(inside_larger_buffer),
    "fortran": Layout(fortran, 2),
    "transposed": Layout(transposed, 3),  # of rank 2 it is "fortran"
    "channels_last": Layout(channels_last, 3),
    "sliced_rows": Layout(sliced_rows, 1),
    "sliced_columns": Layout(sliced_columns, 2),
    "first_columns": Layout(first_columns, 2),
    "negative_stride": Layout(reversed_, 1),
    "broadcast": _repeating(lambda _: (0,), 2),
    "broadcast_last": _repeating(lambda rank: (rank - 1,), 2),
    "expanded": _repeating(lambda rank: tuple(range(rank)), 1),
    "unaligned": Layout(unaligned),
    "read_only": Layout(read_only),
}


def _applies(layout: Layout, values: Array) -> bool:
    return values.ndim >= layout.minimum_rank and bool(values.size)


def repeated_values(values: Array, layout: str) -> Array:
    """The values that an array has once it lies in `layout`: for the layouts of stride 0 those at index 0 of the repeated axes."""
    axes = LAYOUTS[layout].repeated(values.ndim)
    if not axes or not _applies(LAYOUTS[layout], values):
        return values
    return np.broadcast_to(_at_the_start(values, axes), values.shape)


def lay_out(values: Array, layout: str) -> StridedArray:
    """`values` in the layout of that name; an array without elements, or of too low a rank for it, is contiguous."""
    return LAYOUTS[layout].build(values) if _applies(LAYOUTS[layout], values) else StridedArray.of(values)
