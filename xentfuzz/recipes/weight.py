"""The regimes of class weights. A grid of one row: (1, classes); its labels are those of the rows that are kept."""

from __future__ import annotations

import numpy as np

from xentfuzz.recipes.regime import Grid, Regime
from xentfuzz.recipes.words import Array, below, uniform

# A mean divides by the sum of the kept targets' weights; semantics leaves it undefined from a condition number of 1000 on.
LARGEST_CONDITION = 100


def ones(grid: Grid) -> Array:
    return np.ones((1, grid.classes))


def positive(grid: Grid) -> Array:
    return 0.25 + 2.0 * uniform(grid.cells())


def spike(grid: Grid) -> Array:
    """One class outweighs all others."""
    return np.where(np.arange(grid.classes) == below(grid.words.rows(1, lane=3), grid.classes), grid.scale, positive(grid))


def decades(grid: Grid) -> Array:
    """Twelve decades, powers of two times [1, 2); six in float16."""
    reach = 10 if grid.format.name == "float16" else 20
    return np.asarray(np.ldexp(1.0 + uniform(grid.cells()), below(grid.cells(lane=1), 2 * reach) - reach))


def tiny(grid: Grid) -> Array:
    """All far below 1, but normal numbers of the format: a mean divides by a sum that is as small."""
    return np.asarray(positive(grid) * max(grid.scale, 16 * grid.format.smallest_normal))


def _kept(grid: Grid) -> Array:
    return np.zeros(0, np.int64) if grid.labels is None else grid.labels


def _rescued(grid: Grid, weights: Array) -> Array:
    """Gives the first kept target's class a weight, so that the mean has something to divide by."""
    first = _kept(grid)[:1]
    return np.where(np.isin(np.arange(grid.classes), first) & (weights == 0), 1.0, weights)


def some_zero(grid: Grid) -> Array:
    return _rescued(grid, np.where(below(grid.cells(lane=1), 3) == 0, 0.0, positive(grid)))


def signed_zeros(grid: Grid) -> Array:
    """Some weights are zeros of both signs."""
    zeros = np.where(below(grid.cells(lane=2), 2), 0.0, -0.0)
    return _rescued(grid, np.where(below(grid.cells(lane=1), 2) == 0, zeros, positive(grid)))


def mostly_zero(grid: Grid) -> Array:
    return _rescued(grid, np.where(below(grid.cells(lane=1), 8) == 0, positive(grid), 0.0))


def targets_zero(grid: Grid) -> Array:
    """Every kept target's class but the first one's weighs nothing."""
    return _rescued(grid, np.where(np.isin(np.arange(grid.classes), _kept(grid)), 0.0, positive(grid)))


def negative(grid: Grid) -> Array:
    return -positive(grid)


def mixed_signs(grid: Grid) -> Array:
    """Multiples of 1/64 of both signs, all negative where those of the kept targets would nearly cancel. Integers: sums must be exact."""
    sizes = below(grid.cells(), 192) + 64
    numbers = np.where(below(grid.cells(lane=1), 2), sizes, -sizes)
    met = numbers[0, _kept(grid)]
    if np.abs(met).sum() > LARGEST_CONDITION * abs(met.sum()):
        numbers = -sizes
    return numbers / 64.0


def all_zero(grid: Grid) -> Array:
    return np.zeros((1, grid.classes))


def kept_targets_zero(grid: Grid) -> Array:
    return np.where(np.isin(np.arange(grid.classes), _kept(grid)), 0.0, positive(grid))


def unread_garbage(grid: Grid) -> Array:
    """NaN and infinities in the classes that are no kept row's target: index targets without smoothing do not read them."""
    garbage = np.array([np.nan, np.inf, -np.inf])[below(grid.cells(lane=1), 3)]
    return np.where(np.isin(np.arange(grid.classes), _kept(grid)), positive(grid), garbage)


WEIGHT = {
    "positive": Regime(positive, weight=8),
    "ones": Regime(ones, weight=1),
    "some_zero": Regime(some_zero, weight=4),
    "signed_zeros": Regime(signed_zeros, weight=2),
    "mostly_zero": Regime(mostly_zero, weight=1),
    "targets_zero": Regime(targets_zero, weight=2),
    "decades": Regime(decades, weight=4),
    "spike": Regime(spike, weight=2, scales=(100.0, 1000.0), reach=64),
    "tiny": Regime(tiny, weight=2, scales=(2.0**-10, 2.0**-24, 2.0**-50)),
    "negative": Regime(negative, weight=3),
    "mixed_signs": Regime(mixed_signs, weight=4),
    "all_zero": Regime(all_zero, weight=2, family="special"),
    "kept_targets_zero": Regime(kept_targets_zero, weight=4, family="special"),
    "unread_garbage": Regime(unread_garbage, weight=3, family="special"),
}
