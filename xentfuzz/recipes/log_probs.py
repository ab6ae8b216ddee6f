"""The regimes of log-probabilities, the first argument of nll_loss, which reads one of them in each row and none of the others.

No logarithm is taken: it would make the bits depend on the machine's library, and nll_loss does not ask whether a row is normalised.
"""

from __future__ import annotations

import numpy as np

from xentfuzz.recipes.logits import decades, exact_ties, signed_zeros, subnormal
from xentfuzz.recipes.regime import Grid, Regime
from xentfuzz.recipes.words import Array, below


def log_probabilities(grid: Grid) -> Array:
    """Between about log C - 4 and log C + 4 below zero, as the logarithms of ordinary probabilities are."""
    return np.asarray(-np.abs(grid.normal() - grid.classes.bit_length()) * grid.scale)


def powers_of_two(grid: Grid) -> Array:
    """Genuine log-probabilities: 1/2, 1/4, 1/8, ... and the last one twice, rotated from row to row."""
    order = (np.arange(grid.classes) + below(grid.row_words(lane=1), grid.classes)) % grid.classes
    return -0.6931471805599453 * np.minimum(order + 1, min(grid.classes - 1, 4000))


def positive(grid: Grid) -> Array:
    """Not logarithms of probabilities at all: the sign must not matter."""
    return np.abs(grid.normal()) * grid.scale


def any_numbers(grid: Grid) -> Array:
    return grid.normal() * grid.scale


def confident(grid: Grid) -> Array:
    """The target's class next to zero, all others far below."""
    return np.where(grid.is_class(grid.marked), -np.abs(grid.normal()) * 0.001, -grid.scale + grid.normal(lane=1))


def unread_garbage(grid: Grid) -> Array:
    """NaN and infinities in every class but the target's."""
    garbage = np.array([np.nan, np.inf, -np.inf])[below(grid.cells(lane=1), 3)]
    return np.where(grid.is_class(grid.marked), log_probabilities(grid), garbage)


LOG_PROBS = {
    "ordinary": Regime(log_probabilities, weight=8, scales=(1.0, 10.0, 100.0, 1000.0), reach=16),
    "powers_of_two": Regime(powers_of_two, weight=3, reach=4096),
    "positive": Regime(positive, weight=4, scales=(1.0, 100.0), reach=4),
    "any": Regime(any_numbers, weight=4, scales=(1.0, 0.01, 100.0, 10_000.0), reach=4),
    "confident": Regime(confident, weight=3, scales=(20.0, 100.0)),
    "exact_ties": Regime(exact_ties, weight=3),
    "signed_zeros": Regime(signed_zeros, weight=2),
    "decades": Regime(decades, weight=2, reach=64),
    "subnormal": Regime(subnormal, weight=1),
    "unread_garbage": Regime(unread_garbage, weight=4, family="special"),
}
