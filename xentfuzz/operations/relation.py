"""A relation: an identity between results of one implementation that holds without knowing the exact result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import Grade

Array = np.ndarray[Any, Any]


class Call(Protocol):
    """Runs the implementation on a derived case of the operation so named; may raise."""

    def __call__(self, operation: str, case: Case, function: str = "forward", /) -> Array:
        """The value of "forward", or the gradient of the first argument of "backward"."""


@dataclass(frozen=True)
class Relation:
    """Two ways to one result.

    explanation: what is demanded, why, and where it does not hold. applies: whether it holds for a case.
    judge: runs both ways and returns (left, right, allowed), arrays of one shape, in float64 or wider; the identity is broken where
        |left - right| > allowed. `allowed` is the sum of the bounds of every step of both ways at the given grade, derived from the
        arrays that the implementation itself passed from step to step, so nothing is estimated.
    gradient: whether the implementation must offer gradients. Where it lacks another operation that is called, nothing is compared.
    cost: how much one case costs, see `xentfuzz.checks.check.COSTS`.
    draws: the part of the space worth drawing ("targets", "weight", "options", ...).
    """

    name: str
    explanation: str
    applies: Callable[[Case], bool]
    judge: Callable[[Case, Call, Grade], tuple[Array, Array, Array]]
    gradient: bool = False
    cost: str = "call"
    draws: Mapping[str, Any] = field(default_factory=dict)
