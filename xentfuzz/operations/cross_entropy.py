"""cross_entropy: sum_c q_c l_c with l = -log softmax(x), q_c = w_c ((1 - a) t_c + a / C), for class indices or class probabilities t."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np

from xentfuzz.dtypes import FORMATS
from xentfuzz.operations import policies
from xentfuzz.operations.bounds import Rounding, error_of_gradient, error_of_row_loss, relative_error_of_sum, rounding
from xentfuzz.operations.case import Case
from xentfuzz.operations.coefficients import Coefficients, Smoothing, index_coefficients, probability_coefficients
from xentfuzz.operations.composition_relation import COMPOSITION
from xentfuzz.operations.cross_entropy_parts import Part, Sums, joined, sums_of
from xentfuzz.operations.expectation import ANYTHING, NAN, Block, Evaluation
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.intermediates import intermediates_of_gradient, intermediates_of_loss, lost_products, unscaled_sums
from xentfuzz.operations.loss import LossEvaluation
from xentfuzz.operations.loss_outcomes import RowStates, gradient_of_infinite_losses, gradient_of_special_rows
from xentfuzz.operations.metamorphic import OF_CROSS_ENTROPY, metamorphic_relations
from xentfuzz.operations.no_classes import NoClassesEvaluation
from xentfuzz.operations.operation import Argument, Operation, Work
from xentfuzz.operations.options import IGNORE_INDEX, LABEL_SMOOTHING, REDUCE, REDUCTION, SIZE_AVERAGE
from xentfuzz.operations.outcome_sets import OutcomeSets
from xentfuzz.operations.parameter_gradients import gradient_of_target, gradient_of_weight
from xentfuzz.operations.plain import PLAIN_CROSS_ENTROPY
from xentfuzz.operations.reduction import RowLosses
from xentfuzz.operations.reduction_relations import reduction_relations
from xentfuzz.operations.row_quantities import RowQuantities
from xentfuzz.operations.rows import loss_rows
from xentfuzz.operations.target_relations import ONE_HOT, SMOOTHING
from xentfuzz.operations.targets import Denominator, IndexTargets, count_denominator, holds_probabilities, index_denominator, index_targets
from xentfuzz.operations.worst_case_gradient import WORST_CASE_OF_CROSS_ENTROPY

Array = np.ndarray[Any, Any]


class CrossEntropyEvaluation(LossEvaluation):
    """Bounds: steps (1) to (11) of `bounds.py`."""

    gradient_name = "grad_logits"

    def __init__(self, case: Case) -> None:
        super().__init__(case, case.values["logits"])
        self.target = case.values["target"]
        self.smoothing = Smoothing(float(case.options["label_smoothing"]), FORMATS[FORMATS[case.dtype].arithmetic])
        self._kept: Part | None = None

    def outputs(self) -> tuple[str, ...]:
        """With probability targets, the gradients of target and weight too."""
        if self.targets is not None:
            return ("value", "grad_logits")
        return ("value", "grad_logits", "grad_target", *(("grad_weight",) if self.weight is not None else ()))

    @cached_property
    def targets(self) -> IndexTargets | None:
        if holds_probabilities(self.first, self.target):
            return None
        return index_targets(self.target, self.weight, self.case.options["ignore_index"], self.rows.classes)

    @cached_property
    def denominator(self) -> Denominator:
        if self.targets is None:
            return count_denominator(self.rows.count, self.precision)
        return index_denominator(self.targets, self.precision)

    @property
    def losses(self) -> RowLosses:
        return self.sums.losses

    @cached_property
    def sums(self) -> Sums:
        """One pass over the logits."""
        return joined([self._sums_of(self.part(rows)) for rows in self.rows.ranges()])

    def _sums_of(self, part: Part) -> Sums:
        with np.errstate(all="ignore"):
            stored = intermediates_of_loss(part, self) if self.storage_overflows else None
            return sums_of(part, stored, unscaled_sums(part, self))

    def part(self, rows: slice) -> Part:
        """The block of these rows; kept where it is the only one."""
        if self._kept is None or self._kept.rows != rows:
            self._kept = None
            with np.errstate(all="ignore"):
                quantities = RowQuantities(self.rows.take(self.first, rows), self.case.dtype, self.precision)
                self._kept = Part(rows, quantities, self._coefficients(rows), self._states(rows))
        return self._kept

    def _coefficients(self, rows: slice) -> Coefficients:
        if self.targets is not None:
            return index_coefficients(self.targets, rows, self.smoothing, self.precision)
        return probability_coefficients(self.rows.take(self.target, rows), self.weight, self.smoothing, self.precision)

    def unweighted(self, rows: slice) -> Coefficients:
        """(1 - a) t_c + a / C of probability targets: what a gradient of the weight multiplies l_c by."""
        return probability_coefficients(self.rows.take(self.target, rows), None, self.smoothing, self.precision)

    @cached_property
    def storage_overflows(self) -> bool:
        """Whether 16-bit storage has less range than the arithmetic: float16."""
        return FORMATS[self.case.dtype].max < FORMATS["float32"].max / 2

    @cached_property
    def _weight_is_finite(self) -> bool:
        return self.weight is None or bool(np.isfinite(self.weight).all())

    def _states(self, rows: slice) -> RowStates:
        none = np.zeros(rows.stop - rows.start, np.bool_)
        if self.targets is None:
            target = self.rows.take(self.target, rows)
            finite = self._weight_is_finite and bool(np.isfinite(target).all())
            unusual = none if finite else np.logical_or(~np.isfinite(target).all(axis=1), not self._weight_is_finite)
            return RowStates(~none, unusual, none)
        kept = self.targets.kept[rows]
        reads_all = self.smoothing.a > 0
        unusual = none if self._weight_is_finite else kept & np.logical_or(reads_all, ~np.isfinite(self.targets.row_weights[rows]))
        return RowStates(kept, unusual, none if self.targets.everything_valid else self.targets.invalid[rows])

    def errors(self, by: Rounding) -> Array:
        """Step (5); ignored rows have no error."""
        sums = self.sums
        error = error_of_row_loss(by, sums.rows, sums.terms, relative_error_of_sum(by, sums.rows, self.rows.classes))
        if by.staged and sums.losses.intermediates is not None:
            error = error + by.flushed * np.where(np.isfinite(sums.losses.intermediates), sums.losses.intermediates, 0.0)
        if self.targets is not None and not self.targets.everything_kept:
            error = error * self.targets.kept
        return error

    def gradient_blocks(self, output: str, grade: Grade, dtype: str) -> Iterator[Block]:
        """Of the logits and of probability targets by rows; of the weight in one."""
        by = rounding(grade, self.case.dtype, dtype)
        if output == "grad_weight":
            with np.errstate(all="ignore"):
                block = gradient_of_weight(self, by)
            yield block
            return
        of_part = self._gradient_block if output == "grad_logits" else partial(gradient_of_target, self)
        for rows in self.rows.ranges() if self.first.size else ():
            with np.errstate(all="ignore"):
                block = of_part(self.part(rows), by)
            yield block

    def _gradient_block(self, part: Part, by: Rounding) -> Block:
        unscaled = part.quantities.wide_p * part.coefficients.wide_total.reshape(-1, 1) - part.coefficients.wide
        exact = unscaled * self.upstream.wide[part.rows].reshape(-1, 1)
        allowed = self._error_of_gradient(part, by, np.abs(self.precision.narrow(exact)))
        sets = OutcomeSets(part.quantities.x.shape)
        nan_rows = self._outcomes_of_gradient(part, sets)
        self.special_gradients(sets, part.rows, by)
        self.late_scaling(sets, np.abs(self.precision.narrow(unscaled)), by)
        if by.staged and self.storage_overflows:
            sets.replace((intermediates_of_gradient(part, self) > by.storable)[:, np.newaxis], ANYTHING)
        return self.block(part.rows, *self.finished(exact, allowed, sets, by), sets, nan_rows)

    def _error_of_gradient(self, part: Part, by: Rounding, size: Array) -> Array:
        """Step (9); `size`: |gradient|."""
        sums = self.sums
        allowed = error_of_gradient(by, part.quantities, sums.rows.part(part.rows), sums.terms.part(part.rows), part.coefficients)
        allowed *= self.upstream.size[part.rows, np.newaxis]
        allowed += self.upstream.last_roundings(by, size, part.rows)
        if by.staged and self.storage_overflows:
            allowed += by.flushed * lost_products(part, self)
        return self._exact_zeros(part, allowed)

    def _outcomes_of_gradient(self, part: Part, sets: OutcomeSets) -> Array | None:
        if self.losses.outcomes is not None:
            gradient_of_infinite_losses(sets, self.losses.outcomes[part.rows], part.states.kept)
        if not self._weight_is_finite and self.smoothing.a > 0:
            sets.allow(~part.states.kept[:, np.newaxis], NAN, policies.UNUSUAL_WEIGHT)
        sets.replace(part.states.unusual[:, np.newaxis], ANYTHING, policies.UNUSUAL_WEIGHT)
        if part.quantities.special is None:
            return None
        weightless = ~part.coefficients.any_in_row | (self.upstream.size[part.rows] == 0)
        return gradient_of_special_rows(sets, part.quantities.special, part.states, weightless)

    def _exact_zeros(self, part: Part, allowed: Array) -> Array:
        """Ignored rows, and masked classes without a coefficient, are exactly 0."""
        if self.targets is not None and not self.targets.everything_kept:
            allowed = np.where(self.targets.kept[part.rows][:, np.newaxis], allowed, 0.0)
        special = part.quantities.special
        if special is not None:
            allowed = np.where(special.masked & (part.coefficients.magnitude == 0), 0.0, allowed)
        return allowed


def evaluate(case: Case) -> LossEvaluation:
    """The evaluation of a case; an empty class axis, which has no softmax, has one of its own."""
    logits = case.values["logits"]
    return CrossEntropyEvaluation(case) if loss_rows(logits.shape).classes else NoClassesEvaluation(case)


OPTIONS = (IGNORE_INDEX, REDUCTION, LABEL_SMOOTHING, SIZE_AVERAGE, REDUCE)


def _along(case: Case, vector: Array) -> Evaluation:
    from xentfuzz.operations.second_order import CrossEntropyDerivatives  # noqa: PLC0415 - they build on this module

    return CrossEntropyDerivatives(case, vector)


OPERATION = Operation(
    name="cross_entropy",
    arguments=(
        Argument("logits", "logits", differentiable=True),
        Argument("target", "target", differentiable=True),
        Argument("weight", "weight", optional=True, spellings=("class_weights", "pos_weight"), differentiable=True),
    ),
    options=OPTIONS,
    policies=policies.POLICIES,
    evaluate=evaluate,
    relations=(
        *(COMPOSITION, ONE_HOT, SMOOTHING),
        *reduction_relations(tuple(option.name for option in OPTIONS)),
        *metamorphic_relations(OF_CROSS_ENTROPY, ("reduction", "ignore_index", "label_smoothing")),
    ),
    result_word="loss",
    value_word="loss",
    value_work=Work(reads=1, exponentials=1),
    # A kernel that keeps its exponentials in the gradient's place takes half as many.
    gradient_work=Work(reads=1, writes=1, exponentials=2),
    stated=("rows and classes", "loss"),
    worst_case=WORST_CASE_OF_CROSS_ENTROPY,
    plain=PLAIN_CROSS_ENTROPY,
    along=_along,
)
