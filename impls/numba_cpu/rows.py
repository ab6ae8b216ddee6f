"""How a block of rows is found, and how a tile of it comes to lie with its classes side by side (see `layout` for what lies where)."""

# ruff: noqa: PLR0917 - the arguments of a kernel are passed by position

from __future__ import annotations

from typing import Any

from xentfuzz.impls.numba_cpu.compiling import inline, part
from xentfuzz.impls.numba_cpu.layout import LANES
from xentfuzz.impls.numba_cpu.memory import SQUARE, copy_one, copy_square_transposed, int64_at, size_of


@inline
def count_of_blocks(extent: Any) -> Any:
    return extent.runs * ((extent.per_run + extent.block - 1) // extent.block)


@inline
def positions_of_block(extent: Any, number: int) -> Any:
    """The run, the first position in it, how many there are, and the number of the first among all positions."""
    per_run = (extent.per_run + extent.block - 1) // extent.block
    run, first = number // per_run, number % per_run * extent.block
    return run, first, min(extent.block, extent.per_run - first), run * extent.per_run + first


@part
def move(
    storage: Any, source: int, step: int, class_step: int, target: int, target_step: int, target_class_step: int, rows: int, classes: int
) -> None:
    """Copy rows times classes numbers between two layouts, in squares where one has rows and the other has classes side by side."""
    size = size_of(storage)
    gather, scatter = step == size and target_class_step == size, class_step == size and target_step == size
    whole_rows = rows // SQUARE * SQUARE if gather or scatter else 0
    whole_classes = classes // SQUARE * SQUARE if gather or scatter else 0
    for k in range(0, whole_rows, SQUARE):
        for c in range(0, whole_classes, SQUARE):
            place, other = source + k * step + c * class_step, target + k * target_step + c * target_class_step
            copy_square_transposed(storage, place, class_step if gather else step, other, target_step if gather else target_class_step)
    for k in range(rows):
        for c in range(whole_classes if k < whole_rows else 0, classes):
            copy_one(storage, source + k * step + c * class_step, target + k * target_step + c * target_class_step)


@inline
def place(rows: Any, run: int, position: int, start: int) -> Any:
    """The address of class `start` of a position."""
    return rows.address + int64_at(rows.runs, run) + position * rows.step + start * rows.class_step


@part
def lie_side_by_side(storage: Any, rows: Any, run: int, position: int, count: int, classes: int, room: Any) -> Any:
    """A group of positions side by side, class after class: where it lies, and the bytes from class to class. Copied where need be."""
    address, size = place(rows, run, position, 0), size_of(storage)
    if rows.step == size:
        return address, rows.class_step
    move(storage, address, rows.step, rows.class_step, room.address, size, LANES * size, count, classes)
    return room.address, LANES * size


@part
def lie_contiguously(storage: Any, rows: Any, run: int, first: int, count: int, start: int, classes: int, room: Any) -> Any:
    """A tile of a block with classes side by side: where it lies, and the bytes from row to row. Copied into `room` where need be."""
    address = place(rows, run, first, start)
    if rows.class_step == size_of(storage):
        return address, rows.step
    move(storage, address, rows.step, rows.class_step, room.address, room.step, size_of(storage), count, classes)
    return room.address, room.step
