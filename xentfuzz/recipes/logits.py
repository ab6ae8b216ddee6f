"""The regimes of logits: where softmax kernels differ. Every function fills (rows, classes) with float64 numbers."""

from __future__ import annotations

import numpy as np

from xentfuzz.dtypes import FORMATS
from xentfuzz.recipes.regime import Grid, Regime
from xentfuzz.recipes.words import Array, below, normal, signed, uniform

LN_2 = 0.6931471805599453


def ordinary(grid: Grid) -> Array:
    return grid.normal() * grid.scale


def near_ties(grid: Grid) -> Array:
    return normal(grid.row_words(lane=1)) + grid.signed() * grid.scale


def exact_ties(grid: Grid) -> Array:
    return (below(grid.cells(), 5) - 2).astype(np.float64)


def signed_zeros(grid: Grid) -> Array:
    """Zeros of both signs, in some places beside -1 and 1: the sign of a zero changes nothing."""
    zeros = np.where(below(grid.cells(), 2), 0.0, -0.0)
    return np.where(below(grid.cells(lane=1), 4) == 0, below(grid.cells(lane=2), 3) - 1.0, zeros)


def all_equal(grid: Grid) -> Array:
    return np.repeat(normal(grid.row_words(lane=1)) * grid.scale, grid.classes, axis=1)


def _raised(grid: Grid, classes: Array) -> Array:
    gaps = grid.scale * (0.5 + uniform(grid.row_words(lane=2)))
    return grid.normal() + np.where(grid.is_class(classes), gaps, 0.0)


def dominant(grid: Grid) -> Array:
    return _raised(grid, below(grid.words.rows(grid.rows, lane=3), grid.classes))


def confident_right(grid: Grid) -> Array:
    return _raised(grid, grid.marked)


def confident_wrong(grid: Grid) -> Array:
    others = max(grid.classes - 1, 1)
    return _raised(grid, (grid.marked + 1 + below(grid.words.rows(grid.rows, lane=3), others)) % grid.classes)


def late(grid: Grid) -> Array:
    quarter = max(grid.classes // 4, 1)
    return _raised(grid, grid.classes - 1 - below(grid.words.rows(grid.rows, lane=3), quarter))


def _swamp(grid: Grid, precision: int) -> Array:
    numbers = np.full((grid.rows, grid.classes), -LN_2 * precision * grid.scale)
    numbers[:, 0] = 0.0
    return numbers


def swamp(grid: Grid) -> Array:
    """Every class but the first adds about half a unit in the last place to an accumulator that holds 1: their sum decides, or is lost."""
    return _swamp(grid, FORMATS[grid.format.arithmetic].precision)


def storage_swamp(grid: Grid) -> Array:
    """The same for a kernel that accumulates in the format of the logits."""
    return _swamp(grid, grid.format.precision)


def offset(grid: Grid) -> Array:
    return grid.normal() + np.where(grid.words.rows(1, lane=1) >> np.uint64(63), -grid.scale, grid.scale)


def offset_of_each_row(grid: Grid) -> Array:
    return grid.normal() + signed(grid.row_words(lane=1)) * grid.scale


def ascending(grid: Grid) -> Array:
    return np.sort(grid.normal() * grid.scale, axis=1)


def descending(grid: Grid) -> Array:
    return np.ascontiguousarray(ascending(grid)[:, ::-1])


def outliers(grid: Grid) -> Array:
    rare = below(grid.cells(lane=1), 16) == 0
    return grid.signed() * np.where(rare, 64.0 * grid.scale, 1.0)


def two_levels(grid: Grid) -> Array:
    return below(grid.cells(), 2) * -grid.scale


def decades(grid: Grid) -> Array:
    """Numbers of every size from 2**-14 to 2**6, of both signs."""
    return np.asarray(np.ldexp(grid.signed(), below(grid.cells(lane=1), 20) - 13))


def subnormal(grid: Grid) -> Array:
    return (below(grid.cells(), 64) - 32) * grid.format.smallest_subnormal


def near_the_end(grid: Grid) -> Array:
    """Both ends of the format: differences overflow it, and so may the loss."""
    return (0.25 + 0.75 * uniform(grid.cells())) * np.where(below(grid.cells(lane=1), 2), grid.format.max, -grid.format.max)


def all_at_the_end(grid: Grid) -> Array:
    return np.full((grid.rows, grid.classes), grid.format.max * grid.scale)


def ends_apart(grid: Grid) -> Array:
    """The target's class at one end of the format and all others at the other: right where scale is 1, wrong where it is -1."""
    return np.where(grid.is_class(grid.marked), grid.format.max, -grid.format.max) * grid.scale


GAPS = (20.0, 5.0, 100.0, 120.0, 1000.0, 10_000.0)
LOGITS = {
    "ordinary": Regime(ordinary, weight=20, scales=(1.0, 10.0, 0.01, 100.0, 1000.0, 10_000.0), reach=4),
    "exact_ties": Regime(exact_ties, weight=5),
    "signed_zeros": Regime(signed_zeros, weight=2),
    "all_equal": Regime(all_equal, weight=4, scales=(1.0, 100.0), reach=4),
    "near_ties": Regime(near_ties, weight=4, scales=(0.001,)),
    "confident_right": Regime(confident_right, weight=5, scales=GAPS, reach=1.5),
    "confident_wrong": Regime(confident_wrong, weight=6, scales=GAPS, reach=1.5),
    "dominant": Regime(dominant, weight=4, scales=GAPS, reach=1.5),
    "late": Regime(late, weight=3, scales=GAPS, reach=1.5),
    "offset": Regime(offset, weight=5, scales=(100.0, 1000.0, 10_000.0, 100_000.0, 1_000_000.0)),
    "offset_of_each_row": Regime(offset_of_each_row, weight=4, scales=(1000.0, 100.0, 10_000.0, 1_000_000.0)),
    "ascending": Regime(ascending, weight=3, scales=(1.0, 10.0, 100.0), reach=4),
    "descending": Regime(descending, weight=2, scales=(1.0, 10.0, 100.0), reach=4),
    "outliers": Regime(outliers, weight=3, scales=(1.0, 10.0), reach=64),
    "two_levels": Regime(two_levels, weight=3, scales=(20.0, 1.0, 100.0, 1000.0)),
    "decades": Regime(decades, weight=3, reach=64),
    "swamp": Regime(swamp, weight=3, scales=(1.0, 0.96, 1.02, 0.5)),
    "storage_swamp": Regime(storage_swamp, weight=2, scales=(1.0, 0.9)),
    "subnormal": Regime(subnormal, weight=2),
    "near_the_end": Regime(near_the_end, weight=4, family="special", ends=True),
    "all_at_the_end": Regime(all_at_the_end, weight=2, scales=(1.0, -1.0, 0.6), family="special", ends=True),
    "ends_apart": Regime(ends_apart, weight=2, scales=(1.0, -1.0), family="special", ends=True),
}
