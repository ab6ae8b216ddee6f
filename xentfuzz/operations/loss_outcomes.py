"""What a row of cross_entropy may give where logits are infinite or NaN, or leave the arithmetic format on the way."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xentfuzz.operations import policies
from xentfuzz.operations.coefficients import Coefficients
from xentfuzz.operations.expectation import ANYTHING, NAN, NEGATIVE_INFINITY, NUMBER, POSITIVE_INFINITY, ZERO
from xentfuzz.operations.outcome_sets import OutcomeSets
from xentfuzz.operations.row_quantities import (
    ALL_MINUS_INFINITY,
    HAS_NAN,
    ONE_PLUS_INFINITY,
    SEVERAL_PLUS_INFINITY,
    RowQuantities,
    SpecialRows,
)

Array = np.ndarray[Any, Any]

BOTH_INFINITIES = POSITIVE_INFINITY | NEGATIVE_INFINITY


class RowStates(NamedTuple):
    """kept: rows that are not ignored. unusual: kept rows that read a weight or a probability that is not finite.

    invalid: kept rows whose index is out of range.
    """

    kept: Array
    unusual: Array
    invalid: Array


class UnscaledSums(NamedTuple):
    """Of the rows, (rows,). sums: of all terms q_c l_c, or q_c x_c and q_c lse apart, before a factor makes them smaller.

    overflowing: rows in which that leaves the arithmetic format. times_zero: rows in which a term does that is then multiplied by 0.
    """

    sums: Array
    overflowing: Array
    times_zero: Array


def row_outcomes(rows: RowQuantities, coefficients: Coefficients, states: RowStates, unscaled: UnscaledSums | None) -> OutcomeSets:
    """The sets of the row losses, (rows,). unscaled: None where nothing can overflow."""
    sets = OutcomeSets(states.kept.shape)
    if rows.overflowing is not None:
        _overflow(sets, rows.overflowing, coefficients, saturated=rows.precision.saturates)
    if rows.special is not None:
        _masked(sets, rows.special.masked, coefficients)
        _special(sets, rows.special, coefficients)
    if unscaled is not None:
        sets.allow(unscaled.overflowing, NAN | BOTH_INFINITIES, policies.OVERFLOW)
        sets.allow(unscaled.times_zero, NAN, policies.OVERFLOW)
    sets.replace(states.unusual, ANYTHING, policies.UNUSUAL_WEIGHT)
    sets.replace(states.invalid, NAN)
    if sets.outcomes is not None:
        sets.replace(~states.kept, NUMBER)
    return sets


def _signs(where: Array, coefficients: Coefficients) -> tuple[Array, Array, Array]:
    """Rows with a positive and a negative coefficient at such a class, and rows that multiply it by 0."""
    q = coefficients.narrow
    zero = where & coefficients.zero_times
    positive, negative = where & (q > 0), where & (q < 0)
    return np.any(positive, axis=1), np.any(negative, axis=1), np.any(zero, axis=1)


def _overflow(sets: OutcomeSets, overflowing: Array, coefficients: Coefficients, *, saturated: bool) -> None:
    """l_c beyond the arithmetic format: inf times q_c, or the finite product of an implementation that scales first.

    saturated: that product is not known.
    """
    positive, negative, zero = _signs(overflowing, coefficients)
    sets.allow(positive, POSITIVE_INFINITY, policies.OVERFLOW)
    sets.allow(negative, NEGATIVE_INFINITY, policies.OVERFLOW)
    sets.allow(positive & negative, NAN, policies.OVERFLOW)
    sets.allow(zero, NAN, policies.ZERO_PROBABILITY)
    if saturated:
        sets.replace(positive | negative, ANYTHING, policies.OVERFLOW)


def _masked(sets: OutcomeSets, masked: Array, coefficients: Coefficients) -> None:
    """l_c = +inf: an infinite loss by the sign of q_c; with q_c = 0, NaN or the value without that class."""
    positive, negative, zero = _signs(masked, coefficients)
    sets.replace(positive, POSITIVE_INFINITY)
    sets.replace(negative, NEGATIVE_INFINITY)
    sets.replace(positive & negative, NAN | BOTH_INFINITIES)
    sets.allow(zero, NAN, policies.ZERO_PROBABILITY)
    sets.replace(zero & ~coefficients.any_in_row, NAN | ZERO, policies.ZERO_WEIGHT)


def _special(sets: OutcomeSets, special: SpecialRows, coefficients: Coefficients) -> None:
    kind = special.kind
    weightless = ~coefficients.any_in_row
    zero = np.where(weightless, ZERO, 0).astype(np.uint8)
    negative = (coefficients.narrow < 0).any(axis=1)
    for value, outcomes, policy in (
        (HAS_NAN, NAN | zero, np.where(weightless, policies.ZERO_WEIGHT, 0)),
        (ALL_MINUS_INFINITY, NAN | POSITIVE_INFINITY | zero | np.where(negative, NEGATIVE_INFINITY, 0), policies.ALL_MINUS_INFINITY_ROW),
        (ONE_PLUS_INFINITY, NAN | _limit(special, coefficients), policies.PLUS_INFINITY_ROW),
        (SEVERAL_PLUS_INFINITY, ANYTHING, policies.PLUS_INFINITY_ROW),
    ):
        sets.replace(kind == value, outcomes, policy)


def _limit(special: SpecialRows, coefficients: Coefficients) -> Array:
    """sum q_c l_c as one logit goes to +inf: l is 0 there and +inf elsewhere."""
    positive, negative, _ = _signs(~special.plus_infinity, coefficients)
    limit = np.where(positive, POSITIVE_INFINITY, 0) | np.where(negative, NEGATIVE_INFINITY, 0)
    return np.where(limit == 0, ZERO, limit)


def gradient_of_infinite_losses(sets: OutcomeSets, losses: Array, kept: Array) -> None:
    """An implementation that differentiates the formula as written multiplies by the infinite l_c. losses: the sets of the row losses."""
    # A loss that merely overflows is finite until it is rounded.
    finite = (losses == NUMBER) | (losses == (NUMBER | POSITIVE_INFINITY)) | (losses == (NUMBER | NEGATIVE_INFINITY))
    sets.allow((kept & ~finite)[:, np.newaxis], NAN, policies.GRADIENT_OF_INFINITE_LOSS)


def gradient_of_special_rows(sets: OutcomeSets, special: SpecialRows, states: RowStates, weightless: Array) -> Array | None:
    """Fill the sets of the gradient of the logits; the rows in which at least one element must be NaN, or None.

    weightless: rows without any coefficient, or with an upstream gradient of 0.
    """
    kind, kept = special.kind, states.kept
    nan_rows = kept & (kind == HAS_NAN) & ~weightless & ~states.unusual & ~states.invalid
    for chosen, outcomes, policy in (
        (kind == ALL_MINUS_INFINITY, ANYTHING, policies.ALL_MINUS_INFINITY_ROW),
        (kind == ONE_PLUS_INFINITY, NUMBER | NAN, policies.PLUS_INFINITY_ROW),
        (kind == SEVERAL_PLUS_INFINITY, ANYTHING, policies.PLUS_INFINITY_ROW),
        (nan_rows, ANYTHING, 0),
        (kept & (kind == HAS_NAN) & weightless, NAN | ZERO, policies.ZERO_WEIGHT),
        (~kept & (kind != 0), NAN | ZERO, policies.IGNORED_ROW),
    ):
        sets.replace(chosen[:, np.newaxis], outcomes, policy)
    sets.replace(states.unusual[:, np.newaxis], ANYTHING, policies.UNUSUAL_WEIGHT)
    return nan_rows if nan_rows.any() else None
