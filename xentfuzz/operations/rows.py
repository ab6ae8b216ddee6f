"""An array of any rank as blocks of rows: positions by classes, so that everything else is written for two dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# A block of this many elements with about fifteen temporaries of 16 bytes stays below 128 MiB; a single row may exceed it.
BLOCK_ELEMENTS = 1 << 19


@dataclass(frozen=True)
class Rows:
    """The rows of an array of this shape along `axis` (0 <= axis < rank). Row i is the i-th position of the other axes in C order."""

    shape: tuple[int, ...]
    axis: int

    @cached_property
    def classes(self) -> int:
        return self.shape[self.axis]

    @cached_property
    def positions(self) -> tuple[int, ...]:
        """The shape without the class axis: that of a loss for each row."""
        return self.shape[: self.axis] + self.shape[self.axis + 1 :]

    @cached_property
    def count(self) -> int:
        return prod(self.positions)

    def ranges(self) -> Iterator[slice]:
        """Consecutive slices of rows that cover all of them; one empty slice where there are none."""
        rows = max(1, BLOCK_ELEMENTS // max(1, self.classes))
        for start in range(0, max(1, self.count), rows):
            yield slice(start, min(start + rows, self.count))

    @cached_property
    def fits_one_block(self) -> bool:
        return self.count <= max(1, BLOCK_ELEMENTS // max(1, self.classes))

    @cached_property
    def _classes_last(self) -> tuple[int, ...]:
        axes = range(len(self.shape))
        return (*(axis for axis in axes if axis != self.axis), self.axis)

    def take(self, array: Array, part: slice) -> Array:
        """Rows `part` of an array of this shape, as (rows, classes)."""
        if len(self.shape) == 1:
            return array.reshape(1, self.classes)[part]
        classes_last = array if self.axis == len(self.shape) - 1 else array.transpose(self._classes_last)
        if classes_last.ndim == 2:
            return classes_last[part]
        if part.stop - part.start == self.count:
            return classes_last.reshape(self.count, self.classes)
        return classes_last[np.unravel_index(np.arange(part.start, part.stop), self.positions)]

    def locate(self, index: tuple[int, ...], start: int) -> tuple[int, ...]:
        """The index into the array of element (row, class) of a block that starts at row `start`."""
        row, column = index
        position = self.locate_position(row + start)
        return (*position[: self.axis], int(column), *position[self.axis :])

    def locate_position(self, row: int) -> tuple[int, ...]:
        """The index of row `row` into an array of shape `positions`."""
        return tuple(int(i) for i in np.unravel_index(row, self.positions)) if self.positions else ()


def class_axis(shape: tuple[int, ...], options: Mapping[str, Any]) -> int:
    """The axis of a first argument that the classes lie along: the option `axis` where there is one, else 0 for rank 1 and 1 otherwise."""
    return int(options["axis"]) % len(shape) if "axis" in options else min(len(shape) - 1, 1)


def loss_rows(shape: tuple[int, ...]) -> Rows:
    """Rows of the logits of a loss, which has no option `axis`."""
    return Rows(shape, class_axis(shape, {}))
