"""From row losses to the loss, and from the upstream gradient to the factor of each row's gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from xentfuzz.operations import policies
from xentfuzz.operations.bounds import Rounding, additions, cascade, relative_error_of_denominator, shares
from xentfuzz.operations.expectation import ANYTHING, NAN, NEGATIVE_INFINITY, NUMBER, POSITIVE_INFINITY, ZERO
from xentfuzz.operations.precision import LARGEST, Precision, Wide
from xentfuzz.operations.steps import REDUCTION
from xentfuzz.operations.targets import Denominator

Array = np.ndarray[Any, Any]

FINITE = NUMBER | ZERO | ANYTHING
BOTH_INFINITIES = POSITIVE_INFINITY | NEGATIVE_INFINITY


@dataclass(frozen=True, eq=False)
class RowLosses:
    """Exact losses of all rows. wide: the number that a row's loss may be, 0 where it may be none.

    outcomes, policy: as in a Block, None where every loss is a number; an infinite loss is POSITIVE_INFINITY or NEGATIVE_INFINITY, not a
    NUMBER.
    intermediates: the largest number on the way to each row's loss, for implementations that store them in 16 bits; None where it cannot
    matter.
    unscaled: the sum over all rows of what may leave the arithmetic format before a factor makes it smaller; 0 far from its end.
    """

    wide: Wide
    precision: Precision
    outcomes: Array | None = None
    policy: Array | None = None
    intermediates: Array | None = None
    unscaled: float = 0.0

    def sets(self) -> tuple[Array, Array]:
        """outcomes and policy, NUMBER and 0 where they are None."""
        if self.outcomes is None or self.policy is None:
            return np.full(self.size.shape, NUMBER, np.uint8), np.zeros(self.size.shape, np.uint8)
        return self.outcomes, self.policy

    @cached_property
    def size(self) -> Array:
        """|loss|, float64."""
        return np.abs(self.precision.narrow(self.wide))

    @cached_property
    def total_size(self) -> float:
        return float(self.size.sum())

    @cached_property
    def has_numerator(self) -> bool:
        """Whether their sum is, or may be, anything but 0 or NaN."""
        infinite = self.outcomes is not None and bool((self.outcomes & BOTH_INFINITIES).any())
        return infinite or self.total_size > 0

    @cached_property
    def wide_total(self) -> Wide:
        return self.wide.sum()


class Reduced(NamedTuple):
    """A loss: exact value, allowed error, set of outcomes, policy."""

    wide: Wide
    allowed: float
    outcomes: int
    policy: int


def reduce_sum(by: Rounding, losses: RowLosses, errors: Array) -> Reduced:
    """Step (7) of `bounds.py`; `errors`: of the rows, (rows,)."""
    outcomes, policy = _outcomes_of_sum(by, losses)
    return Reduced(losses.wide_total, _error_of_sum(by, losses, errors), outcomes, policy)


def reduce_mean(by: Rounding, losses: RowLosses, errors: Array, denominator: Denominator) -> Reduced:
    """Step (8); of no rows, of weights that are all 0, and of weights without a sum by outcomes."""
    outcomes, policy = _outcomes_of_sum(by, losses, denominator.value)
    if denominator.state != "number":
        if outcomes != NAN:
            outcomes, policy = _mean_without_denominator(losses, denominator)
        return Reduced(losses.precision.zeros(()), 0.0, outcomes, policy)
    if denominator.value < 0:
        outcomes = _negated(outcomes)
    if not (denominator_is_storable(by, denominator) and _sum_is_storable(by, losses, denominator.value)):
        outcomes = ANYTHING
    mean = losses.wide_total / denominator.wide
    relative = relative_error_of_denominator(by, denominator.count, denominator.kappa, weighted=denominator.weighted)
    size = abs(float(losses.precision.narrow(mean)))
    allowed = _error_of_sum(by, losses, errors) / abs(denominator.value) + (size * relative if size else 0.0)
    return Reduced(mean, allowed, outcomes, policy)


def _error_of_sum(by: Rounding, losses: RowLosses, errors: Array) -> float:
    count = len(losses.size)
    total = min(losses.total_size, LARGEST)
    roundings = additions(by, count, float(shares(losses.size, np.asarray(total), by.ua))) + 1
    error = float(errors.sum()) + by.of(REDUCTION) * roundings * total
    if by.staged:
        error += by.us * cascade(count) * total + by.flushed * count
    return float(error)


def _outcomes_of_sum(by: Rounding, losses: RowLosses, denominator: float = 1.0) -> tuple[int, int]:
    """The set and the policy; `denominator`: what the sum is divided by before it may be made smaller by a factor."""
    outcomes, policy = NUMBER, 0
    if losses.outcomes is not None and losses.policy is not None:
        outcomes = _sum_of_sets(losses.outcomes)
        chosen = losses.policy[losses.policy > 0]
        policy = int(chosen[0]) if chosen.size else 0
    largest = by.arithmetic.max * (1 - by.arithmetic.unit_roundoff)
    if losses.total_size >= largest:
        signs = losses.precision.narrow(losses.wide)
        outcomes |= POSITIVE_INFINITY * bool((signs > 0).any()) | NEGATIVE_INFINITY * bool((signs < 0).any())
        outcomes |= NAN * (outcomes & BOTH_INFINITIES == BOTH_INFINITIES)
        policy = policy or policies.OVERFLOW
    if losses.unscaled >= largest * min(1.0, abs(denominator)) > 0:
        outcomes, policy = outcomes | NAN | BOTH_INFINITIES, policy or policies.OVERFLOW
    if not _sum_is_storable(by, losses):
        outcomes = ANYTHING
    return outcomes, policy


def _sum_of_sets(sets: Array) -> int:
    """What a sum may be whose terms are elements of these sets."""
    may = int(np.bitwise_or.reduce(sets))
    if may & ANYTHING:
        return ANYTHING
    if (sets == NAN).any():
        return NAN
    must_positive, must_negative = bool((sets == POSITIVE_INFINITY).any()), bool((sets == NEGATIVE_INFINITY).any())
    result = NUMBER if ((sets & FINITE) != 0).all() else 0
    result |= may & NAN
    result |= 0 if must_negative else may & POSITIVE_INFINITY
    result |= 0 if must_positive else may & NEGATIVE_INFINITY
    if may & BOTH_INFINITIES == BOTH_INFINITIES:
        result |= NAN
    return result


def _negated(outcomes: int) -> int:
    if outcomes & BOTH_INFINITIES in (POSITIVE_INFINITY, NEGATIVE_INFINITY):
        return outcomes ^ BOTH_INFINITIES
    return outcomes


def _mean_without_denominator(losses: RowLosses, denominator: Denominator) -> tuple[int, int]:
    if denominator.state == "nothing":
        return NAN | ZERO, policies.MEAN_OF_NOTHING
    if denominator.state == "undefined":
        return ANYTHING, policies.UNUSUAL_WEIGHT
    # Smoothing may leave a numerator although no target has a weight: infinite then.
    infinite = BOTH_INFINITIES if losses.has_numerator else 0
    return NAN | ZERO | infinite, policies.MEAN_OF_ZERO_WEIGHT


def _sum_is_storable(by: Rounding, losses: RowLosses, denominator: float = 1.0) -> bool:
    """Step (11): whether every sum on the way stays in the range of the format that it is stored in; else nothing can be said."""
    unscaled = 0.0 if losses.intermediates is None else float(np.sum(losses.intermediates))
    return max(losses.total_size, unscaled) <= by.storable * abs(denominator)


def denominator_is_storable(by: Rounding, denominator: Denominator) -> bool:
    """Step (11): whether W and the count of rows are in the range of the format that they are stored in."""
    return max(denominator.kappa * abs(denominator.value), denominator.count) <= by.storable


@dataclass(frozen=True, eq=False)
class Upstream:
    """r, the factor of each row's gradient. wide: (rows,); size: |r|; given: |upstream gradient| itself, (rows,) float64.

    ones: whether the upstream gradient is 1 everywhere. denominator: of the mean, else None.
    """

    wide: Wide
    size: Array
    given: Array
    ones: bool
    denominator: Denominator | None

    @property
    def divided(self) -> float:
        """1 / |W| of a mean, else 1."""
        if self.denominator is None or self.denominator.state != "number":
            return 1.0
        return 1 / abs(self.denominator.value)

    @cached_property
    def peak(self) -> Array:
        """The larger of |r| and |upstream gradient|, (rows,): what the other factors of a gradient may meet on the way."""
        return np.maximum(self.size, self.given)

    def relative_error(self, by: Rounding) -> float:
        """Step (9): of r."""
        error = 2 * by.of(REDUCTION)
        if self.denominator is not None:
            of = self.denominator
            error += relative_error_of_denominator(by, of.count, of.kappa, weighted=of.weighted)
        return error

    def last_roundings(self, by: Rounding, gradient: Array, rows: slice) -> Array:
        """Steps (6) and (9): of |gradient|, (rows of the slice, classes) float64, once it is there."""
        relative = self.relative_error(by)
        error: Array = gradient * (relative + by.u)
        # A relative error without limit says nothing of what is exactly 0.
        if not np.isfinite(relative):
            error = np.where(gradient == 0, 0.0, error)
        error += by.half_subnormal + by.flushed
        if by.staged and self.denominator is not None:
            error += gradient / np.maximum(self.size[rows], by.flushed)[:, np.newaxis] * by.flushed
        if not self.ones:
            error += by.u * gradient + (by.half_subnormal * self.given[rows])[:, np.newaxis]
        return error


def upstream_of(grad_output: Array | None, count: int, denominator: Denominator | None, precision: Precision) -> Upstream:
    """`grad_output` has the shape of the loss; None means ones. `denominator`: for the reduction "mean" only."""
    flat = np.ones(count) if grad_output is None else np.broadcast_to(grad_output.reshape(-1).astype(np.float64), (count,))
    wide = precision.widen(flat)
    if denominator is not None:
        usable = denominator.state == "number"
        wide = wide / denominator.wide if usable else precision.zeros((count,))
    ones = bool((flat == 1).all())
    return Upstream(wide, np.abs(precision.narrow(wide)), np.abs(flat), ones, denominator)
