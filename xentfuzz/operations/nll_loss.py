"""nll_loss: -w_y x_y of given log-probabilities x, for class indices y; no other entry is read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz.operations import policies
from xentfuzz.operations.bounds import Rounding, rounding
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import ANYTHING, NAN, NEGATIVE_INFINITY, NUMBER, POSITIVE_INFINITY, ZERO, Block, Evaluation
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.loss import LossEvaluation
from xentfuzz.operations.metamorphic import OF_NLL_LOSS, metamorphic_relations
from xentfuzz.operations.operation import Argument, Operation
from xentfuzz.operations.options import IGNORE_INDEX, REDUCE, REDUCTION, SIZE_AVERAGE
from xentfuzz.operations.outcome_sets import OutcomeSets
from xentfuzz.operations.plain import PLAIN_NLL_LOSS
from xentfuzz.operations.reduction import RowLosses
from xentfuzz.operations.reduction_relations import reduction_relations
from xentfuzz.operations.steps import PRODUCTS
from xentfuzz.operations.targets import Denominator, IndexTargets, index_denominator, index_targets
from xentfuzz.operations.worst_case_gradient import WORST_CASE_OF_NLL_LOSS

Array = np.ndarray[Any, Any]


class NllLossEvaluation(LossEvaluation):
    """Bounds: step (13) of `bounds.py`."""

    gradient_name = "grad_log_probs"

    def __init__(self, case: Case) -> None:
        super().__init__(case, case.values["log_probs"])

    @cached_property
    def targets(self) -> IndexTargets:
        options = self.case.options
        return index_targets(self.case.values["target"], self.weight, options["ignore_index"], self.rows.classes)

    @cached_property
    def denominator(self) -> Denominator:
        return index_denominator(self.targets, self.precision)

    @cached_property
    def losses(self) -> RowLosses:
        weights, usable = self.targets.row_weights, self.targets.usable
        x = np.where(usable, self._at_target(), 0.0)
        sets = OutcomeSets(x.shape)
        if not (np.isfinite(x).all() and np.isfinite(weights).all() and self.targets.everything_valid):
            _special_losses(sets, x, self.targets)
        finite = np.where(np.isfinite(x) & np.isfinite(weights), x, 0.0)
        wide = -(self.precision.widen(finite) * self.precision.widen(np.where(np.isfinite(weights), weights, 0.0)))
        return RowLosses(wide, self.precision, sets.outcomes, sets.policy)

    def _at_target(self) -> Array:
        """x_y of all rows, float64."""
        labels = self.targets.labels
        if not self.rows.classes:
            return np.zeros(self.rows.count)
        parts = [self._gathered(part, labels[part]) for part in self.rows.ranges()]
        return np.concatenate(parts)

    def _gathered(self, part: slice, labels: Array) -> Array:
        rows = self.rows.take(self.first, part)
        gathered: Array = rows[np.arange(len(labels)), labels].astype(np.float64)
        return gathered

    def errors(self, by: Rounding) -> Array:
        """One rounding of the product; without a weight there is none."""
        roundings = 0.0 if self.weight is None else by.of(PRODUCTS) + (by.us if by.staged else 0.0)
        flushed = 0.0 if self.weight is None else by.flushed
        return self.losses.size * roundings + flushed * self.targets.usable

    def gradient_blocks(self, output: str, grade: Grade, dtype: str) -> Iterator[Block]:
        del output
        by = rounding(grade, self.case.dtype, dtype)
        for part in self.rows.ranges() if self.first.size else ():
            with np.errstate(all="ignore"):
                block = self._gradient_block(part, by)
            yield block

    def _gradient_block(self, part: slice, by: Rounding) -> Block:
        rows = np.arange(part.stop - part.start)
        targets, labels = self.targets, self.targets.labels[part]
        weights = targets.row_weights[part]
        at_target = -(self.upstream.wide[part] * self.precision.widen(np.where(np.isfinite(weights), weights, 0.0)))
        shape = (len(rows), self.rows.classes)
        exact, allowed = self.precision.zeros(shape), np.zeros(shape)
        exact[rows, labels] = at_target
        size = np.abs(self.precision.narrow(at_target))[:, np.newaxis]
        error = self.upstream.last_roundings(by, size, part) + by.of(PRODUCTS) * size
        allowed[rows, labels] = np.where(targets.usable[part], error[:, 0], 0.0)
        sets = OutcomeSets(shape)
        sets.replace((targets.usable[part] & ~np.isfinite(weights))[:, np.newaxis], ANYTHING, policies.UNUSUAL_WEIGHT)
        self.special_gradients(sets, part, by)
        # The upstream gradient may be divided before it is weighted.
        factors = self.upstream.peak[part] * np.maximum(np.abs(weights), 1.0)
        sets.replace((targets.usable[part] & (factors > by.storable))[:, np.newaxis], ANYTHING)
        self.late_scaling(sets, np.where(allowed > 0, np.abs(weights)[:, np.newaxis], 0.0), by)
        return self.block(part, *self.finished(exact, allowed, sets, by), sets)


def _special_losses(sets: OutcomeSets, x: Array, targets: IndexTargets) -> None:
    weights, usable = targets.row_weights, targets.usable
    sets.replace(x == -np.inf, POSITIVE_INFINITY)
    sets.replace(x == np.inf, NEGATIVE_INFINITY)
    negative = weights < 0
    sets.replace((x == -np.inf) & negative, NEGATIVE_INFINITY)
    sets.replace((x == np.inf) & negative, POSITIVE_INFINITY)
    sets.replace(np.isnan(x), NAN)
    sets.replace(~np.isfinite(x) & (weights == 0) & usable, NAN | ZERO, policies.ZERO_WEIGHT)
    sets.replace(~np.isfinite(weights) & usable, ANYTHING, policies.UNUSUAL_WEIGHT)
    sets.replace(targets.invalid, NAN)
    sets.replace(~targets.kept, NUMBER)


OPTIONS = (IGNORE_INDEX, REDUCTION, SIZE_AVERAGE, REDUCE)


def _along(case: Case, vector: Array) -> Evaluation:
    from xentfuzz.operations.second_order import NllLossDerivatives  # noqa: PLC0415 - they build on this module

    return NllLossDerivatives(case, vector)


OPERATION = Operation(
    name="nll_loss",
    arguments=(
        Argument("log_probs", "log_probs", differentiable=True),
        Argument("target", "target"),
        Argument("weight", "weight", optional=True, spellings=("class_weights", "pos_weight")),
    ),
    options=OPTIONS,
    policies=policies.POLICIES,
    evaluate=NllLossEvaluation,
    relations=(
        *reduction_relations(tuple(option.name for option in OPTIONS)),
        *metamorphic_relations(OF_NLL_LOSS, ("reduction", "ignore_index")),
    ),
    # One element of each row is read; the zeros of a gradient may be pages that the system gives out without writing them.
    result_word="loss",
    value_word="nll_loss",
    stated=("rows and classes", "loss"),
    worst_case=WORST_CASE_OF_NLL_LOSS,
    plain=PLAIN_NLL_LOSS,
    along=_along,
)
