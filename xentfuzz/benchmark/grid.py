"""What is timed: operations, shapes, dtypes and time for each profile, read from `grid.toml`, or as asked for."""

from __future__ import annotations

import statistics
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from math import prod

import msgspec

from xentfuzz.benchmark.inputs import Point
from xentfuzz.errors import UsageError, require_known
from xentfuzz.implementation import DEFAULT_OPERATION

Shape = tuple[int, ...]
# Of the first argument: more would be a slip of the finger, and its exact result would not fit the memory of most machines.
MOST_ELEMENTS = 1 << 28


class Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """shapes: of the first argument, (N, C) or (N, C, d1, ...). seconds: for the timed calls of the whole grid, all implementations
    together. growth: whether it is measured how cost grows, beside all that.
    """

    dtypes: tuple[str, ...]
    shapes: tuple[Shape, ...]
    seconds: float
    operations: tuple[str, ...] = (DEFAULT_OPERATION,)
    growth: bool = False

    @property
    def points(self) -> list[Point]:
        return [Point(operation, dtype, shape) for operation in self.operations for dtype in self.dtypes for shape in self.shapes]


class GrowthGrid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How cost grows: over `classes`, with as many rows as make so many `elements`; over `rows` of `row_classes` classes; over numbers of
    threads on `threads_shape`. seconds: for the timed calls of all that, all implementations together.
    """

    elements: int
    classes: tuple[int, ...]
    rows: tuple[int, ...]
    row_classes: int
    threads_shape: Shape
    seconds: float


class Grids(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """baseline: the implementation that speed is given relative to."""

    baseline: str
    growth: GrowthGrid
    profiles: dict[str, Grid]


@cache
def stored_grids() -> Grids:
    """The content of `grid.toml`."""
    text = resources.files(__package__).joinpath("grid.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Grids)


def get_grid(profile: str) -> Grid:
    """The grid of a profile. Raises UnknownName."""
    grids = stored_grids().profiles
    require_known("profile", [profile], grids)
    return grids[profile]


def changed_grid(
    grid: Grid,
    *,
    operations: Sequence[str] | None = None,
    dtypes: Sequence[str] | None = None,
    rows: Sequence[int] | None = None,
    classes: Sequence[int] | None = None,
    shapes: Sequence[Shape] | None = None,
    growth: bool = False,
) -> Grid:
    """The grid with what is given in the place of its own.

    Each of `rows` is combined with each of `classes`; without `rows`, each of `classes` gets as many as make one number of elements;
    without `classes`, each of `rows` gets those of the grid. `shapes` stand beside these, or alone.
    The time for each point stays what it was. How cost grows is measured where `growth` asks for it, or where the grid does and nothing of
    it is changed. Raises UsageError for a shape that is empty or too large.
    """
    wanted = [*_combined(grid, rows, classes), *(shapes or ())] or list(grid.shapes)
    for shape in wanted:
        _require_sensible(shape)
    found = msgspec.structs.replace(
        grid,
        operations=tuple(operations or grid.operations),
        dtypes=tuple(dtypes or grid.dtypes),
        shapes=tuple(dict.fromkeys(wanted)),
        growth=growth or (grid.growth and not any((operations, dtypes, rows, classes, shapes))),
    )
    return msgspec.structs.replace(found, seconds=grid.seconds * len(found.points) / len(grid.points))


def _combined(grid: Grid, rows: Sequence[int] | None, classes: Sequence[int] | None) -> list[Shape]:
    if classes and rows:
        return [(count, width) for count in rows for width in classes]
    if classes:
        # The same number of bytes for each: what is seen is how cost grows with the classes, not with the memory.
        elements = statistics.median_low(prod(shape) for shape in grid.shapes)
        return [(max(1, elements // width), width) for width in classes]
    return [(count, width) for count in rows or () for width in dict.fromkeys(shape[1] for shape in grid.shapes)]


def _require_sensible(shape: Shape) -> None:
    words = "x".join(map(str, shape))
    count = prod(shape)
    if min(shape) < 1:
        raise UsageError(f"shape {words}: every size is at least 1, as an empty array takes no time")
    if count > MOST_ELEMENTS:
        raise UsageError(f"shape {words} has {count} elements; at most {MOST_ELEMENTS} are timed")
