"""softmax: p_c = exp(x_c) / sum exp(x), along one axis; gradient p (g - sum p g)."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.operations.bounds import Rounding, additions, relative_error_of_softmax, relative_error_of_sum, shares
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.operations.metamorphic import OF_SOFTMAX, metamorphic_relations
from xentfuzz.operations.normalised import ARGUMENTS, POLICIES, NormalisedEvaluation
from xentfuzz.operations.operation import Operation, Work
from xentfuzz.operations.options import AXIS
from xentfuzz.operations.plain import PLAIN_SOFTMAX
from xentfuzz.operations.precision import Wide
from xentfuzz.operations.row_quantities import RowQuantities, SpecialRows
from xentfuzz.operations.steps import PRODUCTS
from xentfuzz.operations.worst_case_gradient import WORST_CASE_OF_SOFTMAX

Array = np.ndarray[Any, Any]


class SoftmaxEvaluation(NormalisedEvaluation):
    """Bounds: step (12) of `bounds.py`."""

    def value(self, rows: RowQuantities, by: Rounding) -> tuple[Wide, Array]:
        relative = relative_error_of_softmax(by, rows, rows.sums, relative_error_of_sum(by, rows.sums, rows.classes))
        if by.staged:
            relative += 5 * by.us
        return rows.wide_p, rows.p * relative + 2 * by.flushed

    def gradient(self, rows: RowQuantities, upstream: Array, by: Rounding) -> tuple[Wide, Array]:
        """p (g - G), G = sum p g: `upstream` is g, float64."""
        wide_mean = (rows.wide_p * upstream).sum(axis=1)
        exact = rows.wide_p * (upstream - wide_mean.reshape(-1, 1))
        relative = relative_error_of_softmax(by, rows, rows.sums, relative_error_of_sum(by, rows.sums, rows.classes))
        if by.staged:
            relative += 5 * by.us
        size = np.abs(upstream)
        weighted = rows.p * size
        total = weighted.sum(axis=1)
        count = additions(by, rows.classes, shares(weighted, total, by.ua))
        error_of_mean = np.einsum("ij,ij->i", relative * rows.p, size) + by.of(PRODUCTS) * (count + 2) * total
        if by.staged:
            error_of_mean += 5 * by.us * total
        mean = np.abs(self.precision.narrow(wide_mean))[:, np.newaxis]
        difference = np.abs(self.precision.narrow(upstream - wide_mean.reshape(-1, 1)))
        error_of_p = rows.p * relative
        error = error_of_p * difference + (rows.p + error_of_p) * error_of_mean[:, np.newaxis]
        error += (3 * by.of(PRODUCTS)) * rows.p * (size + mean)
        if by.staged:
            error += 5 * by.us * rows.p * (size + mean)
        # p, p g and the product may be flushed one by one.
        return exact, error + by.flushed * (1 + size + mean + size.sum(axis=1, keepdims=True) * rows.p)

    def certain(self, special: SpecialRows, plus: Array) -> Array:
        limit = special.plus_infinity / np.maximum(special.plus_infinity.sum(axis=1, keepdims=True), 1)
        return np.where(special.masked, 0.0, np.where(plus, limit, np.nan))


def _along(case: Case, vector: Array) -> Evaluation:
    from xentfuzz.operations.second_order import SoftmaxDerivatives  # noqa: PLC0415 - they build on this module

    return SoftmaxDerivatives(case, vector)


OPERATION = Operation(
    name="softmax",
    arguments=ARGUMENTS,
    options=(AXIS,),
    policies=POLICIES,
    evaluate=SoftmaxEvaluation,
    relations=metamorphic_relations(OF_SOFTMAX, ("axis",)),
    value_word="softmax",
    value_work=Work(reads=1, writes=1, exponentials=1),
    gradient_work=Work(reads=3, writes=2, exponentials=2),
    stated=("rows and classes",),
    worst_case=WORST_CASE_OF_SOFTMAX,
    plain=PLAIN_SOFTMAX,
    along=_along,
)
