"""log_softmax: log p_c = x_c - log sum exp(x), along one axis; gradient g - p sum g."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.operations.bounds import Rounding, additions, error_of_lse, relative_error_of_softmax, relative_error_of_sum, shares
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.operations.metamorphic import OF_SOFTMAX, metamorphic_relations
from xentfuzz.operations.normalised import ARGUMENTS, POLICIES, NormalisedEvaluation
from xentfuzz.operations.operation import Operation, Work
from xentfuzz.operations.options import AXIS
from xentfuzz.operations.plain import PLAIN_LOG_SOFTMAX
from xentfuzz.operations.precision import Wide
from xentfuzz.operations.row_quantities import RowQuantities, SpecialRows
from xentfuzz.operations.steps import ASSEMBLING, PRODUCTS
from xentfuzz.operations.worst_case_gradient import WORST_CASE_OF_LOG_SOFTMAX

Array = np.ndarray[Any, Any]


class LogSoftmaxEvaluation(NormalisedEvaluation):
    """Bounds: step (12) of `bounds.py`."""

    def value(self, rows: RowQuantities, by: Rounding) -> tuple[Wide, Array]:
        of_row = error_of_lse(by, rows.sums, relative_error_of_sum(by, rows.sums, rows.classes))
        of_element = (3 if by.lse else 2) * by.of(ASSEMBLING) + (5 * by.us if by.staged else 0.0)
        return -rows.wide_l, of_row[:, np.newaxis] + of_element * rows.l + by.flushed

    def gradient(self, rows: RowQuantities, upstream: Array, by: Rounding) -> tuple[Wide, Array]:
        """g - p H, H = sum g: `upstream` is g, float64."""
        wide = self.precision.widen(upstream)
        wide_total = wide.sum(axis=1).reshape(-1, 1)
        exact = wide - rows.wide_p * wide_total
        relative = relative_error_of_softmax(by, rows, rows.sums, relative_error_of_sum(by, rows.sums, rows.classes))
        size = np.abs(upstream)
        sizes = size.sum(axis=1)
        count = additions(by, rows.classes, shares(size, sizes, by.ua))
        product = rows.p * np.abs(self.precision.narrow(wide_total))
        of_products = by.of(PRODUCTS)
        error = product * relative + rows.p * (of_products * (count + 2) * sizes)[:, np.newaxis] + of_products * (size + product)
        if by.staged:
            error += 5 * by.us * (rows.p * sizes[:, np.newaxis] + size)
        return exact, error + by.flushed * (1 + sizes)[:, np.newaxis]

    def certain(self, special: SpecialRows, plus: Array) -> Array:
        limit = np.where(special.plus_infinity, -np.log(np.maximum(special.plus_infinity.sum(axis=1, keepdims=True), 1)), -np.inf)
        return np.where(special.masked, -np.inf, np.where(plus, limit, np.nan))


def _along(case: Case, vector: Array) -> Evaluation:
    from xentfuzz.operations.second_order import LogSoftmaxDerivatives  # noqa: PLC0415 - they build on this module

    return LogSoftmaxDerivatives(case, vector)


OPERATION = Operation(
    name="log_softmax",
    arguments=ARGUMENTS,
    options=(AXIS,),
    policies=POLICIES,
    evaluate=LogSoftmaxEvaluation,
    relations=metamorphic_relations(OF_SOFTMAX, ("axis",)),
    value_word="log_softmax",
    value_work=Work(reads=1, writes=1, exponentials=1),
    gradient_work=Work(reads=3, writes=2, exponentials=2),
    stated=("rows and classes",),
    worst_case=WORST_CASE_OF_LOG_SOFTMAX,
    plain=PLAIN_LOG_SOFTMAX,
    along=_along,
)
