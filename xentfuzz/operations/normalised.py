"""What softmax and log_softmax share: an array of the shape of its argument, normalised along one axis, and its gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from xentfuzz.operations.bounds import Rounding, rounding
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import ANYTHING, NAN, NUMBER, ZERO, Block
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.operation import Argument, Policy
from xentfuzz.operations.outcome_sets import OutcomeSets
from xentfuzz.operations.precision import Wide, precision_for
from xentfuzz.operations.row_quantities import (
    ALL_MINUS_INFINITY,
    HAS_NAN,
    ONE_PLUS_INFINITY,
    SEVERAL_PLUS_INFINITY,
    RowQuantities,
    SpecialRows,
)
from xentfuzz.operations.rows import Rows, class_axis

Array = np.ndarray[Any, Any]

ARGUMENTS = (Argument("logits", "logits", differentiable=True),)
POLICIES = (
    Policy("+inf in a row", "NaN, or the limit: all of the probability at +inf"),
    Policy("gradient of a row of -inf", "NaN, or 0"),
)
PLUS_INFINITY, GRADIENT_OF_MINUS_INFINITY = 1, 2


class NormalisedEvaluation(ABC):
    """Exact results and bounds of softmax or log_softmax; see `xentfuzz.operations.expectation.Evaluation`."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.logits = case.values["logits"]
        self.rows = Rows(self.logits.shape, class_axis(self.logits.shape, case.options))
        self.precision = precision_for(case.dtype)
        self._kept: RowQuantities | None = None

    def outputs(self) -> tuple[str, ...]:
        return ("value", "grad_logits")

    def shape(self, output: str) -> tuple[int, ...]:
        del output
        shape: tuple[int, ...] = self.logits.shape
        return shape

    def blocks(self, output: str, grade: Grade, dtype: str) -> Iterator[Block]:
        """The expectation in blocks of (rows, classes). An empty array has none."""
        by = rounding(grade, self.case.dtype, dtype)
        for part in self.rows.ranges() if self.logits.size else ():
            with np.errstate(all="ignore"):
                block = self._block(output, part, by)
            yield block

    def _block(self, output: str, part: slice, by: Rounding) -> Block:
        quantities = self._quantities(part)
        sets = OutcomeSets(quantities.x.shape)
        if output == "value":
            exact, allowed = self._rounded(*self.value(quantities, by), by)
            nan_rows = None
            if quantities.special is not None:
                exact, allowed = self._special_values(exact, allowed, quantities.special, sets)
        else:
            exact, allowed = self._rounded(*self.gradient(quantities, self._upstream(part), by), by)
            nan_rows = None if quantities.special is None else _special_gradients(quantities.special, sets)
        if by.staged:
            sets.replace(self._intermediates(output, quantities, part) > by.storable, ANYTHING)
        sets.allow_overflow(exact, allowed, by.returned)
        return Block(
            select=lambda whole: self.rows.take(whole, part),
            locate=lambda index: self.rows.locate(index, part.start),
            exact=exact,
            allowed=allowed,
            outcomes=sets.outcomes,
            policy=sets.policy,
            nan_rows=nan_rows,
        )

    def _quantities(self, part: slice) -> RowQuantities:
        if self._kept is None or not self.rows.fits_one_block:
            self._kept = RowQuantities(self.rows.take(self.logits, part), self.case.dtype, self.precision)
        return self._kept

    def _rounded(self, wide: Wide, allowed: Array, by: Rounding) -> tuple[Array, Array]:
        """The exact result as a Block holds it, and its bound with the rounding of the result: step (6)."""
        exact = self.precision.result(wide)
        narrow = self.precision.narrow(wide)
        return exact, allowed + by.u * np.abs(narrow) + by.half_subnormal + self.precision.representation_error(narrow)

    def _intermediates(self, output: str, quantities: RowQuantities, part: slice) -> Array:
        """The largest number on the way to each row's results, (rows, 1), for implementations that store it in 16 bits."""
        sums = self.precision.narrow(quantities.sum)
        if output != "value":
            sums = np.maximum(sums, np.abs(self._upstream(part)).sum(axis=1))
        return sums[:, np.newaxis]

    def _upstream(self, part: slice) -> Array:
        upstream = self.case.values.get("grad_output")
        if upstream is None:
            return np.ones((part.stop - part.start, self.rows.classes))
        return np.ascontiguousarray(self.rows.take(upstream, part), np.float64)

    def _special_values(self, exact: Array, allowed: Array, special: SpecialRows, sets: OutcomeSets) -> tuple[Array, Array]:
        """NaN rows and rows of -inf are NaN throughout, masked entries exactly p = 0, +inf is NaN or the limit."""
        kind = special.kind[:, np.newaxis]
        plus = (kind == ONE_PLUS_INFINITY) | (kind == SEVERAL_PLUS_INFINITY)
        certain = self.certain(special, plus)
        exact = np.where(np.isnan(certain), exact, certain)
        allowed = np.where(special.masked | np.isinf(certain), 0.0, allowed)
        sets.replace((kind == HAS_NAN) | (kind == ALL_MINUS_INFINITY), NAN)
        sets.replace(plus, NUMBER | NAN, PLUS_INFINITY)
        return exact, allowed

    @abstractmethod
    def value(self, rows: RowQuantities, by: Rounding) -> tuple[Wide, Array]:
        """Exact value and allowed error before the result is rounded."""

    @abstractmethod
    def gradient(self, rows: RowQuantities, upstream: Array, by: Rounding) -> tuple[Wide, Array]:
        """Exact gradient and allowed error before the result is rounded."""

    @abstractmethod
    def certain(self, special: SpecialRows, plus: Array) -> Array:
        """The values at masked entries and in rows with +inf (`plus`, to broadcast); NaN elsewhere."""


def _special_gradients(special: SpecialRows, sets: OutcomeSets) -> Array | None:
    kind = special.kind[:, np.newaxis]
    sets.replace(kind == ALL_MINUS_INFINITY, NAN | ZERO, GRADIENT_OF_MINUS_INFINITY)
    sets.replace(kind == ONE_PLUS_INFINITY, NUMBER | NAN, PLUS_INFINITY)
    # The limit depends on how the infinities are approached.
    sets.replace(kind == SEVERAL_PLUS_INFINITY, ANYTHING, PLUS_INFINITY)
    sets.replace(kind == HAS_NAN, ANYTHING)
    nan_rows = special.kind == HAS_NAN
    return nan_rows if nan_rows.any() else None
