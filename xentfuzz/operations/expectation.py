"""What an output may be: exact values, allowed errors and, where a number is not the only right answer, outcome sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import Grade

# Outcomes that an element may have; an element's set is the bitwise or of some of them.
NUMBER = 1  # within `allowed` of `exact` (an infinite `exact` is met by that infinity only)
NAN = 2
POSITIVE_INFINITY = 4
NEGATIVE_INFINITY = 8
ZERO = 16
ANYTHING = 32

OUTCOME_NAMES = {
    NUMBER: "the exact value",
    NAN: "NaN",
    POSITIVE_INFINITY: "+inf",
    NEGATIVE_INFINITY: "-inf",
    ZERO: "0",
    ANYTHING: "anything",
}


@dataclass(frozen=True, eq=False)
class Block:
    """The expectation for a part of one output.

    select: takes the whole output (any array of the output's shape) and returns the part that this block is about; for gradients that is
        a (rows, classes) array, for losses (rows,) or ().
    locate: takes an index into that part and returns the index into the whole output.
    exact: float64 or longdouble, of the part's shape; where no number is allowed, what is (an infinity, NaN). allowed: float64, same shape:
        how far from `exact` a number may be; 0 where only that number will do.
    outcomes: uint8 sets of the constants above, same shape, or None where every element must be NUMBER.
    policy: uint8 index into the operation's `policies` + 1, 0 where no policy is chosen, same shape, or None.
    nan_rows: bool, (rows,): rows of the part in which at least one element must be NaN (their elements are ANYTHING otherwise), or None.
    """

    select: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]
    locate: Callable[[tuple[int, ...]], tuple[int, ...]]
    exact: np.ndarray[Any, Any]
    allowed: np.ndarray[Any, Any]
    outcomes: np.ndarray[Any, Any] | None = None
    policy: np.ndarray[Any, Any] | None = None
    nan_rows: np.ndarray[Any, Any] | None = None


class Evaluation(Protocol):
    """The exact results of one case and their bounds. Exact quantities are computed once, on first use, whatever the grade.

    Outputs are named "value" (the loss, or the softmax) and "grad_<argument>" for each differentiable argument.
    """

    @property
    def case(self) -> Case:
        """The case that is evaluated."""

    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs that are defined for this case."""

    def shape(self, output: str) -> tuple[int, ...]:
        """The shape that the output must have."""

    def blocks(self, output: str, grade: Grade, dtype: str) -> Iterator[Block]:
        """The expectation, part by part, for a result returned in `dtype` at `grade`. Works in blocks of rows to bound memory."""
