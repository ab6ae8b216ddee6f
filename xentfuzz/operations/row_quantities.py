"""The quantities of a block of rows that everything is made of: m, d, s, log s, l, p, exactly, and what error bounds need of them.

For a row x: m = max x, d_c = m - x_c, s = sum exp(-d_c), l_c = d_c + log s = -log p_c, p_c = exp(-l_c). log s is taken as log1p of the sum
without its largest term, so that it is relatively accurate where one class has all the probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from xentfuzz.dtypes import FORMATS
from xentfuzz.operations.precision import Precision

Array = np.ndarray[Any, Any]

# What kind of row it is: rows of all kinds but the first have no softmax as numbers.
ORDINARY = 0
HAS_NAN = 1
ALL_MINUS_INFINITY = 2
ONE_PLUS_INFINITY = 3
SEVERAL_PLUS_INFINITY = 4


@dataclass(frozen=True, eq=False)
class SpecialRows:
    """kind: (rows,) of the constants above. masked: (rows, classes), -inf in ordinary rows: p = 0 and l = +inf there.

    plus_infinity: (rows, classes), where the logit is +inf.
    """

    kind: Array
    masked: Array
    plus_infinity: Array


class RowSums(NamedTuple):
    """Of rows, (rows,) float64. max: m. log_sum: log s. spread: D = sum p_c d_c. rescalings: R = sum p_c * (record maxima after c).

    shares: sum min(1, p_c / ua), the terms of s that are large enough to cost its sum a full rounding.
    """

    max: Array
    log_sum: Array
    spread: Array
    shares: Array
    rescalings: Array

    def part(self, rows: slice) -> RowSums:
        return RowSums(*(field[rows] for field in self))


class RowQuantities:
    """Of one block of logits, (rows, classes) with at least one class; every array is finite.

    Rows that are not ordinary are computed as if all their logits were 0, -inf as if it were the row's maximum but for p = 0 there: what
    may come out in such places is said by `special`, None where there are none.
    """

    def __init__(self, logits: Array, dtype: str, precision: Precision) -> None:
        # Rows next to each other in memory are summed pairwise, whatever the layout of the array.
        x = np.ascontiguousarray(logits, np.float64)
        self.precision = precision
        self.arithmetic = FORMATS[FORMATS[dtype].arithmetic]
        self.special = None if np.isfinite(x).all() else _special_rows(x)
        self.x = x if self.special is None else _finite(x, self.special)
        self.classes = self.x.shape[1]
        self.max = self.x.max(axis=1)
        self._wide()

    def _wide(self) -> None:
        rows, top = np.arange(len(self.x)), self.x.argmax(axis=1)
        self.wide_d = self.precision.difference(self.max[:, np.newaxis], self.x)
        exponentials = np.exp(-self.wide_d)
        if self.special is not None:
            exponentials[self.special.masked] = 0.0
            top = np.where(self.special.masked, -np.inf, self.x).argmax(axis=1)
        exponentials[rows, top] = 0.0
        others = exponentials.sum(axis=1)
        exponentials[rows, top] = 1.0
        self.sum = others + 1.0
        self.wide_log_sum = np.log1p(others)
        self.wide_l = self.wide_d + self.wide_log_sum.reshape(-1, 1)
        self.wide_p = exponentials / self.sum.reshape(-1, 1)
        if self.special is not None:
            self._limit_at_plus_infinity(self.special)

    def _limit_at_plus_infinity(self, special: SpecialRows) -> None:
        """p of a row with +inf: all of the probability there, in equal parts."""
        rows = np.flatnonzero((special.kind == ONE_PLUS_INFINITY) | (special.kind == SEVERAL_PLUS_INFINITY))
        at = special.plus_infinity[rows]
        self.wide_p[rows] = at / at.sum(axis=1, keepdims=True)

    @cached_property
    def d(self) -> Array:
        return self.precision.narrow(self.wide_d)

    @cached_property
    def l(self) -> Array:  # noqa: E743 - the letter of the formulas
        return self.precision.narrow(self.wide_l)

    @cached_property
    def p(self) -> Array:
        return self.precision.narrow(self.wide_p)

    @cached_property
    def log_sum(self) -> Array:
        return self.precision.narrow(self.wide_log_sum)

    @cached_property
    def near_overflow(self) -> bool:
        """Whether a logit times weights, probabilities and the number of classes may leave the arithmetic format."""
        return float(np.abs(self.x).max(initial=0.0)) > 1e-20 * self.arithmetic.max

    @cached_property
    def overflowing(self) -> Array | None:
        """Where l leaves the range of the arithmetic format although the logits are finite, or None."""
        largest = self.arithmetic.max * (1 - self.arithmetic.unit_roundoff)
        if float(self.max.max(initial=-np.inf) - self.x.min(initial=np.inf)) < largest / 2:
            return None
        # An infinite float64 `l` was cut to the largest float64, hence ">=".
        beyond: Array = self.l >= largest
        return beyond if beyond.any() else None

    @cached_property
    def sums(self) -> RowSums:
        """What bounds need of each row."""
        spread = np.einsum("ij,ij->i", self.p, self.d)
        shares = np.minimum(self.p * (1 / self.arithmetic.unit_roundoff), 1.0).sum(axis=1)
        return RowSums(self.max, self.log_sum, spread, shares, self._rescalings())

    def _rescalings(self) -> Array:
        """R as the sum over record maxima of the probability before them."""
        x = self.x if self.special is None else np.where(self.special.masked, -np.inf, self.x)
        if x.shape[1] == 1:
            return np.zeros(len(x))
        is_record = x[:, 1:] > np.maximum.accumulate(x[:, :-1], axis=1)
        before = np.cumsum(self.p[:, :-1], axis=1)
        total: Array = np.einsum("ij,ij->i", before, is_record)
        return total


def _special_rows(x: Array) -> SpecialRows:
    plus = x == np.inf
    minus = x == -np.inf
    count = plus.sum(axis=1)
    kind = np.zeros(len(x), np.uint8)
    kind[minus.all(axis=1)] = ALL_MINUS_INFINITY
    kind[count == 1] = ONE_PLUS_INFINITY
    kind[count > 1] = SEVERAL_PLUS_INFINITY
    kind[np.isnan(x).any(axis=1)] = HAS_NAN
    return SpecialRows(kind, minus & (kind == ORDINARY)[:, np.newaxis], plus)


def _finite(x: Array, special: SpecialRows) -> Array:
    x = np.where((special.kind == ORDINARY)[:, np.newaxis], x, 0.0)
    return np.where(special.masked, x.max(axis=1, keepdims=True), x)
