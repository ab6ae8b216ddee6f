"""The regimes of the upstream gradient `grad_output`; always finite."""

from __future__ import annotations

import numpy as np

from xentfuzz.recipes.regime import Grid, Regime
from xentfuzz.recipes.words import Array, below, signed, uniform


def ones(grid: Grid) -> Array:
    return np.ones((grid.rows, grid.classes))


def constant(grid: Grid) -> Array:
    return np.full((grid.rows, grid.classes), grid.scale)


def uneven(grid: Grid) -> Array:
    """Of both signs, no two alike, none near zero."""
    numbers = grid.signed()
    return numbers + np.where(numbers < 0, -0.125, 0.125)


def positive(grid: Grid) -> Array:
    return 0.125 + uniform(grid.cells())


def scaled(grid: Grid) -> Array:
    """As where a loss is scaled, so that small gradients are no subnormal numbers of a narrow format."""
    return grid.scale * positive(grid)


def some_zero(grid: Grid) -> Array:
    return np.where(below(grid.cells(lane=1), 2), signed(grid.cells()), 0.0)


def signed_zeros(grid: Grid) -> Array:
    """Zeros of both signs among numbers of both signs."""
    zeros = np.where(below(grid.cells(lane=2), 2), 0.0, -0.0)
    return np.where(below(grid.cells(lane=1), 2), uneven(grid), zeros)


def zero(grid: Grid) -> Array:
    return np.zeros((grid.rows, grid.classes))


def powers_of_two(grid: Grid) -> Array:
    """scale times +-2**k with k from -3 to 3."""
    sign = np.where(below(grid.cells(lane=1), 2), grid.scale, -grid.scale)
    return np.asarray(np.ldexp(sign, below(grid.cells(), 7) - 3))


UPSTREAM = {
    "ones": Regime(ones, weight=6),
    "uneven": Regime(uneven, weight=8),
    "constant": Regime(constant, weight=4, scales=(2.0, 0.5, -1.0, 3.0)),
    "positive": Regime(positive, weight=2),
    "some_zero": Regime(some_zero, weight=2),
    "signed_zeros": Regime(signed_zeros, weight=2),
    "zero": Regime(zero, weight=1),
    "loss_scale": Regime(scaled, weight=3, scales=(1024.0, 16384.0, 2.0**24), reach=0.5),
    "powers_of_two": Regime(powers_of_two, weight=3, scales=(1.0, 256.0, 2.0**-8, 2.0**20, 2.0**-20), reach=512),
}
