"""Which family a case belongs to, and which cases the contract leaves undefined: looked up in its arrays, not in how they were made."""

from __future__ import annotations

import numpy as np

from xentfuzz.dtypes import FORMATS
from xentfuzz.operations import get_operation, kinds
from xentfuzz.operations.case import Case
from xentfuzz.operations.options import IGNORE_INDEX, LABEL_SMOOTHING
from xentfuzz.operations.roles import has_target, target_of, weight_of
from xentfuzz.operations.targets import holds_probabilities
from xentfuzz.recipes.shapes import class_rows
from xentfuzz.recipes.target import fits, wrapped_label
from xentfuzz.recipes.words import Array

# Weights of both signs are defined where the sum of their sizes is at most so many times their sum.
CONDITION = 1000.0


def family_of(case: Case) -> str:
    """The family: "ordinary", "special", "robust", or "undefined" for what no family contains."""
    facts = _Facts(case)
    if facts.undefined():
        return "undefined"
    if facts.rows.classes == 0 or facts.target_dtype not in ("", "int64"):
        return "robust"
    return "special" if facts.special() else "ordinary"


class _Facts:
    """What the rules look at: the first argument and probabilities as (rows, classes), the kept labels, their weights."""

    def __init__(self, case: Case) -> None:
        self.case = case
        first = next(iter(case.values.values()))
        options = case.options
        self.rows = class_rows(first.shape, options)
        everything = slice(0, self.rows.count)
        self.first = self.rows.take(first, everything).astype(np.float64)
        target = target_of(case) if has_target(case) else None
        self.probabilities = self.labels = None
        self.target_dtype = ""
        self.kept = np.ones(self.rows.count, bool)
        if target is not None and holds_probabilities(first, target):
            self.probabilities = self.rows.take(target, everything).astype(np.float64)
        elif target is not None:
            self.target_dtype = target.dtype.name
            ignore_index = options.get(IGNORE_INDEX.name, IGNORE_INDEX.default)
            numbers = [int(number) for number in target.reshape(-1).tolist()]
            self.kept = np.array([number != ignore_index for number in numbers], bool)
            self.labels = np.array([number for number in numbers if number != ignore_index], np.int64)
        weight = weight_of(case)
        self.weight = None if weight is None else weight.astype(np.float64)

    @property
    def smoothing(self) -> float:
        return float(self.case.options.get(LABEL_SMOOTHING.name, 0.0))

    @property
    def invalid(self) -> bool:
        """A label that is no class."""
        return self.labels is not None and bool(((self.labels < 0) | (self.labels >= self.rows.classes)).any())

    def undefined(self) -> bool:
        upstream = self.case.values.get("grad_output")
        return (
            self.invalid
            or not 0.0 <= self.smoothing <= 1.0
            or (upstream is not None and not np.isfinite(upstream.astype(np.float64)).all())
            or self._several_infinities()
            or self._undefined_probabilities()
            or self._undefined_weight()
            or self._wrapped()
        )

    def _several_infinities(self) -> bool:
        if get_operation(self.case.operation).arguments[0].kind == kinds.LOG_PROBS:
            return False
        return bool(((self.first[self.kept] == np.inf).sum(axis=1) > 1).any())

    def _undefined_probabilities(self) -> bool:
        if self.probabilities is None:
            return False
        infinite = not np.isfinite(self.first).all()
        negative = bool((self.probabilities < 0).any())
        positive_index = self.case.options.get(IGNORE_INDEX.name, IGNORE_INDEX.default) >= 0
        return positive_index or not np.isfinite(self.probabilities).all() or (infinite and negative)

    def _undefined_weight(self) -> bool:
        if self.weight is None:
            return False
        if not np.isfinite(self.weight).all():
            read = self.labels is None or self.smoothing > 0 or not np.isfinite(self.weight[self.labels]).all()
            return bool(read)
        if (self.weight < 0).any() and not np.isfinite(self.first).all():
            return True
        return self.labels is not None and _ill_conditioned(self.weight[self.labels])

    def _wrapped(self) -> bool:
        """With smoothing, torch drops half of the loss where a label is what ignore_index wraps to in the target's dtype."""
        ignore_index = self.case.options.get(IGNORE_INDEX.name, IGNORE_INDEX.default)
        if self.labels is None or not self.smoothing or fits(ignore_index, self.target_dtype):
            return False
        return bool((self.labels == wrapped_label(ignore_index, self.target_dtype)).any())

    def special(self) -> bool:
        if not self.rows.count or not self.kept.any():
            return True
        if not np.isfinite(self.first).all() or np.abs(self.first).max() > FORMATS[self.case.dtype].max / 2:
            return True
        if self.weight is None:
            return False
        if not np.isfinite(self.weight).all():
            return True
        met = self.weight if self.labels is None else self.weight[self.labels]
        return not met.any()


def _ill_conditioned(met: Array) -> bool:
    return bool(np.abs(met).sum() > CONDITION * abs(met.sum()))
