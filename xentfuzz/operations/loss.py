"""What nll_loss and cross_entropy share: the loss in its three reductions, outputs, shapes and blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz.operations import policies
from xentfuzz.operations.bounds import Rounding, rounding
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import ANYTHING, NAN, NEGATIVE_INFINITY, NUMBER, POSITIVE_INFINITY, ZERO, Block
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.outcome_sets import OutcomeSets
from xentfuzz.operations.precision import Wide, precision_for
from xentfuzz.operations.reduction import (
    Reduced,
    RowLosses,
    Upstream,
    denominator_is_storable,
    reduce_mean,
    reduce_sum,
    upstream_of,
)
from xentfuzz.operations.rows import loss_rows
from xentfuzz.operations.targets import Denominator, IndexTargets

Array = np.ndarray[Any, Any]


class LossEvaluation(ABC):
    """Exact results and bounds of a loss; see `xentfuzz.operations.expectation.Evaluation`.

    A case without "grad_output" means an upstream gradient of ones: the gradient of the sum of the loss.
    """

    gradient_name: str

    def __init__(self, case: Case, first: Array) -> None:
        self.case = case
        self.first = first
        self.rows = loss_rows(first.shape)
        self.precision = precision_for(case.dtype)
        self.weight = case.values.get("weight")
        self.reduction = effective_reduction(case.options)

    def outputs(self) -> tuple[str, ...]:
        return ("value", self.gradient_name)

    def shape(self, output: str) -> tuple[int, ...]:
        if output == "value":
            return self.rows.positions if self.reduction == "none" else ()
        shape: tuple[int, ...] = self.case.values[output.removeprefix("grad_")].shape
        return shape

    def blocks(self, output: str, grade: Grade, dtype: str) -> Iterator[Block]:
        """The expectation, for a result returned in `dtype`: losses in one block, gradients in blocks of rows."""
        if output != "value":
            yield from self.gradient_blocks(output, grade, dtype)
            return
        with np.errstate(all="ignore"):
            by = rounding(grade, self.case.dtype, dtype)
            block = self._row_block(by) if self.reduction == "none" else self._reduced_block(by)
        yield block

    @cached_property
    def upstream(self) -> Upstream:
        denominator = self.denominator if self.reduction == "mean" else None
        return upstream_of(self.case.values.get("grad_output"), self.rows.count, denominator, self.precision)

    @property
    @abstractmethod
    def denominator(self) -> Denominator:
        """What the mean divides by."""

    @property
    @abstractmethod
    def targets(self) -> IndexTargets | None:
        """Class indices, or None for probabilities."""

    @property
    @abstractmethod
    def losses(self) -> RowLosses:
        """Exact row losses."""

    @abstractmethod
    def errors(self, by: Rounding) -> Array:
        """Allowed errors of the row losses before a result is rounded, (rows,)."""

    @abstractmethod
    def gradient_blocks(self, output: str, grade: Grade, dtype: str) -> Iterator[Block]:
        """The blocks of a gradient."""

    def _row_block(self, by: Rounding) -> Block:
        losses = self.losses
        sets = OutcomeSets(losses.size.shape)
        if losses.outcomes is not None and losses.policy is not None:
            sets.outcomes, sets.policy = losses.outcomes.copy(), losses.policy.copy()
        if losses.intermediates is not None:
            sets.replace(losses.intermediates > by.storable, ANYTHING)
        exact = self.precision.result(losses.wide)
        allowed = self.errors(by) + by.u * losses.size + by.half_subnormal + self.precision.representation_error(losses.size)
        if self.targets is not None:
            allowed = np.where(self.targets.kept, allowed, 0.0)
        if self.precision.saturates:
            exact, allowed = sets.drop_overflown(exact, allowed)
        sets.allow_overflow(exact, allowed, by.returned)
        if sets.outcomes is not None:
            exact, allowed = _as_outcomes(exact, allowed, sets.outcomes)
        shape = losses.size.shape
        return Block(lambda whole: whole.reshape(shape), self._locate_loss, exact, allowed, sets.outcomes, sets.policy)

    def _locate_loss(self, index: tuple[int, ...]) -> tuple[int, ...]:
        return self.rows.locate_position(index[0])

    def _reduced_block(self, by: Rounding) -> Block:
        reduced = self._reduced(by)
        exact = self.precision.result(reduced.wide).reshape(1)
        size = np.abs(self.precision.narrow(reduced.wide)).reshape(1)
        allowed = reduced.allowed + by.u * size + by.half_subnormal + by.flushed + self.precision.representation_error(size)
        sets = OutcomeSets((1,))
        if reduced.outcomes != NUMBER or reduced.policy:
            sets.replace_all(reduced.outcomes, reduced.policy)
        if self.precision.saturates:
            exact, allowed = sets.drop_overflown(exact, allowed)
        sets.allow_overflow(exact, allowed, by.returned)
        if sets.outcomes is not None:
            exact, allowed = _as_outcomes(exact, allowed, sets.outcomes)
        return Block(lambda whole: whole.reshape(1), lambda _: (), exact, allowed, sets.outcomes, sets.policy)

    def _reduced(self, by: Rounding) -> Reduced:
        if self.reduction == "sum":
            return reduce_sum(by, self.losses, self.errors(by))
        return reduce_mean(by, self.losses, self.errors(by), self.denominator)

    def special_gradients(self, sets: OutcomeSets, part: slice, by: Rounding) -> None:
        """Outcomes that a denominator, a weight or a target gives to the gradient's rows, whatever the logits."""
        targets = self.targets
        if targets is not None and not targets.everything_valid:
            sets.replace(targets.invalid[part][:, np.newaxis], ANYTHING)
        if self.reduction != "mean":
            return
        state = self.denominator.state
        if state == "nothing":
            sets.replace_all(NAN | ZERO, policies.GRADIENT_OF_MEAN_OF_NOTHING)
        elif state == "undefined":
            sets.replace_all(ANYTHING, policies.UNUSUAL_WEIGHT)
        elif state == "zero":
            self._gradient_of_zero_weight(sets, part)
        elif not denominator_is_storable(by, self.denominator):
            sets.replace_all(ANYTHING)

    def _gradient_of_zero_weight(self, sets: OutcomeSets, part: slice) -> None:
        sets.replace_all(NAN | ZERO, policies.GRADIENT_OF_MEAN_OF_ZERO_WEIGHT)
        if self.targets is not None and self.losses.has_numerator:
            # Smoothing leaves a numerator: infinities by its sign.
            sets.replace(self.targets.kept[part][:, np.newaxis], ANYTHING, policies.GRADIENT_OF_MEAN_OF_ZERO_WEIGHT)

    def block(self, part: slice, exact: Array, allowed: Array, sets: OutcomeSets, nan_rows: Array | None = None) -> Block:
        """The block of a gradient of the first argument's shape."""
        return Block(
            select=lambda whole: self.rows.take(whole, part),
            locate=lambda index: self.rows.locate(index, part.start),
            exact=exact,
            allowed=allowed,
            outcomes=sets.outcomes,
            policy=sets.policy,
            nan_rows=nan_rows,
        )

    def finished(self, wide: Wide, allowed: Array, sets: OutcomeSets, by: Rounding) -> tuple[Array, Array]:
        """exact and allowed of a gradient as a Block holds them; the sets let what may overflow be infinite."""
        exact = self.precision.result(wide)
        allowed = allowed + self.precision.representation_error(exact)
        if self.precision.saturates:
            exact, allowed = sets.drop_overflown(exact, allowed)
        sets.allow_overflow(exact, allowed, by.returned)
        return exact, allowed

    def late_scaling(self, sets: OutcomeSets, unscaled: Array, by: Rounding) -> None:
        """A gradient that is ready, rounded, before the upstream gradient comes may overflow although the scaled one does not: float16.

        `unscaled`: its size without upstream gradient and denominator, (rows, classes).
        """
        if self.upstream.ones or by.returned.max > by.arithmetic.max / 2:
            return
        ready = unscaled * self.upstream.divided
        sets.allow(ready >= by.returned.max * (1 - by.u), NAN | POSITIVE_INFINITY | NEGATIVE_INFINITY, policies.OVERFLOW)


def _as_outcomes(exact: Array, allowed: Array, outcomes: Array) -> tuple[Array, Array]:
    """What is no number, as it is to be shown: the infinity or NaN that is wanted, with no error allowed."""
    shown = np.where(outcomes & POSITIVE_INFINITY, np.inf, np.where(outcomes & NEGATIVE_INFINITY, -np.inf, np.nan))
    shown = np.where(outcomes & ZERO, 0.0, shown)
    number = (outcomes & (NUMBER | ANYTHING)) != 0
    return np.where(number, exact, shown), np.where(number, allowed, 0.0)
