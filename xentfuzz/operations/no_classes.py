"""cross_entropy over an empty class axis: there is no softmax, and torch's conventions are all there is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz.operations import policies
from xentfuzz.operations.bounds import Rounding
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import NAN, NUMBER, Block
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.loss import LossEvaluation
from xentfuzz.operations.outcome_sets import OutcomeSets
from xentfuzz.operations.reduction import RowLosses
from xentfuzz.operations.targets import Denominator, IndexTargets, count_denominator, holds_probabilities, index_denominator, index_targets

Array = np.ndarray[Any, Any]


class NoClassesEvaluation(LossEvaluation):
    """Ignored rows are 0, or NaN (0 * a/0) with smoothing; a kept index is out of range, NaN; a sum over no probabilities is 0."""

    gradient_name = "grad_logits"

    def __init__(self, case: Case) -> None:
        super().__init__(case, case.values["logits"])

    @cached_property
    def targets(self) -> IndexTargets | None:
        target = self.case.values["target"]
        if holds_probabilities(self.first, target):
            return None
        return index_targets(target, self.weight, self.case.options["ignore_index"], 0)

    @cached_property
    def denominator(self) -> Denominator:
        """Of probabilities: whatever the number of rows, the mean is NaN or 0."""
        return count_denominator(0, self.precision) if self.targets is None else index_denominator(self.targets, self.precision)

    @cached_property
    def losses(self) -> RowLosses:
        sets = OutcomeSets((self.rows.count,))
        if self.targets is not None:
            sets.replace(self.targets.kept, NAN)
            if self.case.options["label_smoothing"] > 0:
                sets.replace(~self.targets.kept, NUMBER | NAN, policies.MEAN_OF_NOTHING)
        return RowLosses(self.precision.zeros((self.rows.count,)), self.precision, sets.outcomes, sets.policy)

    def errors(self, by: Rounding) -> Array:
        del by
        return np.zeros(self.rows.count)

    def gradient_blocks(self, output: str, grade: Grade, dtype: str) -> Iterator[Block]:
        """Empty gradients have no elements to expect anything of."""
        del output, grade, dtype
        return iter(())
