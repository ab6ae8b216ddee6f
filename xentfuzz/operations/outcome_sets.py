"""Sets of outcomes, element by element (see `expectation.py` for the constants)."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.dtypes import FloatFormat
from xentfuzz.operations.expectation import ANYTHING, NEGATIVE_INFINITY, NUMBER, POSITIVE_INFINITY
from xentfuzz.operations.policies import OVERFLOW

Array = np.ndarray[Any, Any]


class OutcomeSets:
    """outcomes and policy of a part of an output, of its shape; None as long as every element must be a number."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.outcomes: Array | None = None
        self.policy: Array | None = None

    def replace(self, where: Any, outcomes: Any, policy: Any = 0) -> None:
        """Exactly these outcomes, by this policy (index + 1, 0 for none), where `where` holds; all are broadcast to the shape."""
        where = np.broadcast_to(where, self.shape)
        if where.any():
            sets, policies = self._arrays()
            np.copyto(sets, outcomes, where=where, casting="unsafe")
            np.copyto(policies, policy, where=where, casting="unsafe")

    def replace_all(self, outcomes: int, policy: int = 0) -> None:
        """Exactly these outcomes everywhere."""
        sets, policies = self._arrays()
        sets[...] = outcomes
        policies[...] = policy

    def allow(self, where: Any, outcomes: int, policy: int = 0) -> None:
        """These outcomes too."""
        where = np.broadcast_to(where, self.shape)
        if where.any():
            sets, policies = self._arrays()
            sets[where] |= np.uint8(outcomes)
            if policy:
                policies[where] = policy

    def drop_overflown(self, exact: Array, allowed: Array) -> tuple[Array, Array]:
        """exact and allowed with 0, and any outcome, where an exact result left the range of the arithmetic that it was computed in."""
        beyond = ~np.isfinite(exact)
        self.replace(beyond, ANYTHING, OVERFLOW)
        return np.where(beyond, 0.0, exact), np.where(beyond, 0.0, allowed)

    def allow_overflow(self, exact: Array, allowed: Array, returned: FloatFormat) -> None:
        """An infinity is right where the exact result may round to one: |exact| + allowed >= max (1 - u)."""
        limit = returned.max * (1 - returned.unit_roundoff)
        if not exact.size or float(np.max(np.abs(exact) + allowed)) < limit:
            return
        finite = np.isfinite(exact)
        self.allow(finite & (exact + allowed >= limit), POSITIVE_INFINITY)
        self.allow(finite & (exact - allowed <= -limit), NEGATIVE_INFINITY)
        if self.policy is not None:
            # Where no finite number is near enough, the infinity is no choice.
            self.policy[(np.abs(exact) - allowed > returned.max) & (self.policy == OVERFLOW)] = 0

    def _arrays(self) -> tuple[Array, Array]:
        if self.outcomes is None or self.policy is None:
            self.outcomes = np.full(self.shape, NUMBER, np.uint8)
            self.policy = np.zeros(self.shape, np.uint8)
        return self.outcomes, self.policy
