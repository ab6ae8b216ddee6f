"""Error bounds of a case that need no exact result: the steps of `bounds.py` at the worst case of everything that depends on softmax.

Of a row only M = max |x_c|, the range max x - min x and the number of classes C are known; of the loss its coefficients, which come from
target, weight and label smoothing alone. Everything else is replaced by its largest possible value:

* d_c <= range, log s <= log C (s is a sum of C terms of at most 1), hence l_c <= range + log C, |m| <= M and |lse| <= M + log C.
* D = sum p_c d_c <= min(range, log C): D + log s is the entropy of p, which is at most log C.
* additions: n - 1 in any order (every term as large as the total); R <= C - 1, the number of record maxima after the first class.
* p_c P_c, the absolute error of a probability: with P_c = exp(a d + b) / (1 - eps_s) - 1 and p_c <= exp(-d) it is largest for some d <= 1,
  as d exp(-d) is, so that P at d = min(range, 1) bounds it.
* sum_c p_c P_c: sum_c p_c exp(a d_c) <= (C / s)**a <= C**a by Hoelder's inequality, so that P at d = log C bounds it.
* |loss_i| <= A_i (range_i + log C) with A_i = sum_c Q_c.

The bounds are inf where an intermediate result might leave the range of its format: nothing is said there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xentfuzz.dtypes import FORMATS
from xentfuzz.operations import get_operation
from xentfuzz.operations.bounds import (
    LossTerms,
    Rounding,
    additions,
    cascade,
    error_of_lse,
    error_of_row_loss,
    relative_error_of_denominator,
    relative_error_of_softmax,
    relative_error_of_sum,
    rounding,
)
from xentfuzz.operations.case import Case
from xentfuzz.operations.coefficients import Smoothing
from xentfuzz.operations.derived_cases import first_argument, has_index_targets, kept_rows, row_weights
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.operation import WorstCase
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.row_quantities import RowSums
from xentfuzz.operations.rows import Rows, class_axis

Array = np.ndarray[Any, Any]

# Far from the end of the arithmetic format no product of a logit with weights and counts overflows; nearer, outcomes decide.
FAR_FROM_OVERFLOW = 1e-20


class Extremes(NamedTuple):
    """Of each row, (rows,) float64. size: max |x_c|; spread: max x - min x."""

    size: Array
    spread: Array
    classes: int

    @property
    def log_classes(self) -> float:
        return float(np.log(self.classes))

    @property
    def surprisal(self) -> Array:
        """The largest l_c."""
        return self.spread + self.log_classes

    @property
    def sums(self) -> RowSums:
        """The worst case of what the bounds take of a row."""
        every = np.ones_like(self.size)
        return RowSums(
            max=self.size,
            log_sum=self.log_classes * every,
            spread=np.minimum(self.spread, self.log_classes),
            shares=np.inf * every,
            rescalings=(self.classes - 1) * every,
        )


class _At(NamedTuple):
    """x: the largest of each row, (rows, 1); d: any distances, (rows, distances). See `bounds.Logits`."""

    x: Array
    d: Array


def rows_of(case: Case) -> Rows:
    """The rows of the first argument."""
    shape = first_argument(case).shape
    return Rows(shape, class_axis(shape, case.options))


def rows_as_numbers(case: Case, array: Array) -> Array:
    """An array of the first argument's shape as (rows, classes), float64."""
    rows = rows_of(case)
    numbers: Array = rows.take(array, slice(0, rows.count)).astype(np.float64)
    return numbers


def extremes(case: Case) -> Extremes:
    rows = rows_of(case)
    x = rows.take(first_argument(case), slice(0, rows.count))
    highest, lowest = x.max(axis=1).astype(np.float64), x.min(axis=1).astype(np.float64)
    return Extremes(np.maximum(np.abs(highest), np.abs(lowest)), highest - lowest, rows.classes)


def bound_of_value(case: Case, dtype: str, grade: Grade) -> Array:
    """How far the value of a case may be from the exact one, returned in `dtype`: (rows, 1) for a softmax, (rows,) or (1,) for a loss."""
    by = rounding(grade, case.dtype, dtype)
    with np.errstate(all="ignore"):
        bound, size = stated_for(case).value(case, by)
        return np.where(np.isfinite(bound) & (size + bound < by.returned.max / 4) & is_computable(case, by), bound, np.inf)


def stated_for(case: Case) -> WorstCase:
    """The worst case that a case's operation states."""
    stated = get_operation(case.operation).worst_case
    assert stated is not None, f"{case.operation} has relations that need its worst case"
    return stated


def is_computable(case: Case, by: Rounding) -> bool:
    """Whether no intermediate result can leave the format that it is held in, whatever the order of the operations."""
    found = extremes(case)
    largest = float((found.size + found.surprisal).max(initial=0.0))
    if largest > FAR_FROM_OVERFLOW * by.arithmetic.max:
        return False
    factors = largest_factor("weight", case) * largest_factor("target", case)
    product = max(largest, 1.0) * found.classes * factors * max(rows_of(case).count, 1)
    return product < min(by.arithmetic.max, by.storable) / 4


def largest_factor(name: str, case: Case) -> float:
    """Of the absolute values of a factor, and 1."""
    if name not in case.values or (name == "target" and has_index_targets(case)):
        return 1.0
    return max(1.0, float(np.abs(case.values[name].astype(np.float64)).max(initial=0.0)))


def value_of_softmax(case: Case, by: Rounding) -> tuple[Array, Array]:
    """Step (12): the bound and the largest |value|, (rows, 1)."""
    found = extremes(case)
    nearest = np.minimum(found.spread, 1.0)[:, np.newaxis]
    eps_s = relative_error_of_sum(by, found.sums, found.classes)
    bound = error_of_softmax(by, found, eps_s, nearest)[:, 0] + (5 * by.us if by.staged else 0.0) + 2 * by.flushed
    return _returned(by, bound, np.ones_like(bound))


def value_of_log_softmax(case: Case, by: Rounding) -> tuple[Array, Array]:
    """Step (12): the bound and the largest |value|, (rows, 1)."""
    found = extremes(case)
    size = found.surprisal
    bound = error_of_lse(by, found.sums, relative_error_of_sum(by, found.sums, found.classes))
    bound += ((3 if by.lse else 2) * by.ua + (5 * by.us if by.staged else 0.0)) * size + by.flushed
    return _returned(by, bound, size)


def _returned(by: Rounding, bound: Array, size: Array) -> tuple[Array, Array]:
    return (bound + by.u * size + by.half_subnormal)[:, np.newaxis], size[:, np.newaxis]


def error_of_softmax(by: Rounding, found: Extremes, eps_s: Array, distance: Array) -> Array:
    """P at distances from the maximum, (rows, distances) like these."""
    return relative_error_of_softmax(by, _At(found.size[:, np.newaxis], distance), found.sums, eps_s)


def absolute_coefficients(case: Case) -> Array:
    """A = sum_c Q_c of each row, (rows,) float64; 0 where it is ignored."""
    on, even = _shares(case)
    if has_index_targets(case):
        return np.where(kept_rows(case), on * np.abs(row_weights(case)) + float(even.sum()), 0.0)
    target = np.abs(rows_as_numbers(case, case.values["target"]))
    absolute: Array = on * (target @ _class_weights(case)) + float(even.sum())
    return absolute


def coefficients(case: Case) -> Array:
    """Q, (rows, classes) float64; those of ignored rows mean nothing."""
    on, even = _shares(case)
    if not has_index_targets(case):
        of_target: Array = on * np.abs(rows_as_numbers(case, case.values["target"])) * _class_weights(case) + even
        return of_target
    kept = kept_rows(case)
    whole = np.tile(even, (len(kept), 1))
    whole[kept, case.values["target"].reshape(-1)[kept]] += on * np.abs(row_weights(case))[kept]
    return whole


def _shares(case: Case) -> tuple[float, Array]:
    """What the target's share of a row counts, and what every class has of the smoothing, (classes,)."""
    smoothing = Smoothing(float(case.options.get("label_smoothing", 0.0)), FORMATS[FORMATS[case.dtype].arithmetic])
    return (1 - smoothing.a) * smoothing.growth, smoothing.a * _class_weights(case) / rows_of(case).classes


def _class_weights(case: Case) -> Array:
    """|w|, (classes,) float64."""
    weight = case.values.get("weight")
    return np.ones(rows_of(case).classes) if weight is None else np.abs(weight.astype(np.float64))


def several_terms(case: Case) -> int:
    """How many coefficients of a row may differ from 0."""
    return 1 if has_index_targets(case) and not case.options.get("label_smoothing", 0.0) else rows_of(case).classes


def value_of_nll_loss(case: Case, by: Rounding) -> tuple[Array, Array]:
    """The bound and the largest |loss|: (rows,) for the reduction "none", else (1,)."""
    size = absolute_coefficients(case) * extremes(case).size
    errors = 0.0 * size
    if "weight" in case.values:
        errors = size * (by.ua + (by.us if by.staged else 0.0)) + by.flushed * kept_rows(case)
    return _of_losses(case, by, errors, size)


def value_of_cross_entropy(case: Case, by: Rounding) -> tuple[Array, Array]:
    """The bound and the largest |loss|: (rows,) for the reduction "none", else (1,)."""
    found = extremes(case)
    absolute = absolute_coefficients(case)
    errors = error_of_row_loss(by, found.sums, _terms(case, found, absolute), relative_error_of_sum(by, found.sums, found.classes))
    if by.staged:
        factors = several_terms(case) * largest_factor("weight", case) * largest_factor("target", case)
        errors = errors + by.flushed * np.maximum(factors * found.surprisal, found.classes)
    return _of_losses(case, by, np.where(kept_rows(case), errors, 0.0), absolute * found.surprisal)


def _of_losses(case: Case, by: Rounding, errors: Array, size: Array) -> tuple[Array, Array]:
    """Of row losses, with their errors before they are returned or reduced."""
    if effective_reduction(case.options) == "none":
        return np.where(kept_rows(case), errors + by.u * size + by.half_subnormal, 0.0), size
    return _reduced(case, by, errors, size)


def _terms(case: Case, found: Extremes, absolute: Array) -> LossTerms:
    unlimited = np.inf * np.ones_like(absolute)
    terms = several_terms(case) * np.ones_like(absolute)
    return LossTerms(absolute, absolute * found.surprisal, absolute * found.size, terms, unlimited, unlimited, unlimited)


def _reduced(case: Case, by: Rounding, errors: Array, size: Array) -> tuple[Array, Array]:
    """Steps (7), (8) and, of (11), what concerns the batch."""
    count, total = len(size), float(size.sum())
    error = float(errors.sum()) + by.ua * (float(additions(by, count, np.inf)) + 1) * total
    if by.staged:
        error += by.us * cascade(count) * total + by.flushed * count
    if effective_reduction(case.options) == "mean":
        weights = row_weights(case)
        denominator, kept = abs(float(weights.sum())), float(np.count_nonzero(kept_rows(case)))
        kappa = float(np.abs(weights).sum()) / denominator
        weighted = "weight" in case.values and has_index_targets(case)
        total /= denominator
        error = error / denominator + total * relative_error_of_denominator(by, kept, kappa, weighted=weighted)
        if max(kappa * denominator, kept) > by.storable:
            error = float("inf")
    return np.array([error + by.u * total + by.half_subnormal + by.flushed]), np.array([total])
