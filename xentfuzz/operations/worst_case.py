"""Error bounds of a case that need no exact result: the steps of `bounds.py` at the worst case of everything that depends on softmax.

Of a row only M = max |x_c|, the range max x - min x and the number of classes C are known; of the loss its coefficients, which come from
target, weight and label smoothing alone. Everything else is replaced by its largest possible value:

* d_c <= range, log s <= log C (s is a sum of C terms of at most 1), hence l_c <= range + log C, |m| <= M and |lse| <= M + log C.
* D = sum p_c d_c <= min(range, log C): D + log s is the entropy of p, which is at most log C.
* additions: n - 1 in any order (every term as large as the total); R <= C - 1, the number of record maxima after the first class.
* p_c P_c, the absolute error of a probability: with P_c = exp(a d + b) / (1 - eps_s) - 1 and p_c <= exp(-d) it is largest for some d <= 1,
  as d exp(-d) is, so that P at d = min(range, 1) bounds it.
* sum_c p_c P_c: sum_c p_c exp(a d_c) <= (C / s)**a <= C**a by Hoelder's inequality, so that P at d = log C bounds it.
* |loss_i| <= A_i (range_i + log C), |gradient| <= 2 r_i A_i with A_i = sum_c Q_c, because |S_i| <= A_i and p_c <= 1.

The bounds are inf where an intermediate result might leave the range of its format: nothing is said there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xentfuzz.dtypes import FORMATS
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
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.precision import FLOAT64
from xentfuzz.operations.reduction import Upstream, upstream_of
from xentfuzz.operations.row_quantities import RowSums
from xentfuzz.operations.rows import Rows, loss_rows
from xentfuzz.operations.targets import count_denominator, index_denominator, index_targets

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
    """One logit for each row, (rows, 1): see `bounds.Logits`."""

    x: Array
    d: Array


def rows_of(case: Case) -> Rows:
    """The rows of the first argument."""
    shape = first_argument(case).shape
    return Rows(shape, case.options["axis"] % len(shape)) if "axis" in case.options else loss_rows(shape)


def extremes(case: Case) -> Extremes:
    rows = rows_of(case)
    x = rows.take(first_argument(case), slice(0, rows.count))
    highest, lowest = x.max(axis=1).astype(np.float64), x.min(axis=1).astype(np.float64)
    return Extremes(np.maximum(np.abs(highest), np.abs(lowest)), highest - lowest, rows.classes)


def bound_of_value(case: Case, dtype: str, grade: Grade) -> Array:
    """How far the value of a case may be from the exact one, returned in `dtype`: (rows, 1) for a softmax, (rows,) or (1,) for a loss."""
    by = rounding(grade, case.dtype, dtype)
    with np.errstate(all="ignore"):
        if case.operation in ("softmax", "log_softmax"):
            bound, size = _of_normalised(case, by)
        else:
            bound, size = _of_loss(case, by)
        return np.where(np.isfinite(bound) & (size + bound < by.returned.max / 4) & _computable(case, by), bound, np.inf)


def _computable(case: Case, by: Rounding) -> bool:
    """Whether no intermediate result can leave the format that it is held in, whatever the order of the operations."""
    found = extremes(case)
    largest = float((found.size + found.surprisal).max(initial=0.0))
    if largest > FAR_FROM_OVERFLOW * by.arithmetic.max:
        return False
    product = max(largest, 1.0) * found.classes * _largest("weight", case) * _largest("target", case) * max(rows_of(case).count, 1)
    return product < min(by.arithmetic.max, by.storable) / 4


def _largest(name: str, case: Case) -> float:
    """Of the absolute values of a factor, and 1."""
    if name not in case.values or (name == "target" and has_index_targets(case)):
        return 1.0
    return max(1.0, float(np.abs(case.values[name].astype(np.float64)).max(initial=0.0)))


def _of_normalised(case: Case, by: Rounding) -> tuple[Array, Array]:
    """Step (12): the bound and the largest |value|, (rows, 1)."""
    found = extremes(case)
    eps_s = relative_error_of_sum(by, found.sums, found.classes)
    if case.operation == "softmax":
        bound = _error_of_softmax(by, found, eps_s, np.minimum(found.spread, 1.0)) + (5 * by.us if by.staged else 0.0) + 2 * by.flushed
        size = np.ones_like(bound)
    else:
        size = found.surprisal
        bound = error_of_lse(by, found.sums, eps_s) + ((3 if by.lse else 2) * by.ua + (5 * by.us if by.staged else 0.0)) * size
        bound += by.flushed
    return (bound + by.u * size + by.half_subnormal)[:, np.newaxis], size[:, np.newaxis]


def _error_of_softmax(by: Rounding, found: Extremes, eps_s: Array, distance: Array) -> Array:
    """P at a distance from the maximum, (rows,)."""
    at = _At(found.size[:, np.newaxis], distance[:, np.newaxis])
    return relative_error_of_softmax(by, at, found.sums, eps_s)[:, 0]


def absolute_coefficients(case: Case) -> Array:
    """A = sum_c Q_c of each row, (rows,) float64; 0 where it is ignored."""
    rows = rows_of(case)
    smoothing = Smoothing(float(case.options.get("label_smoothing", 0.0)), FORMATS[FORMATS[case.dtype].arithmetic])
    weight = np.abs(case.values["weight"].astype(np.float64)) if "weight" in case.values else np.ones(rows.classes)
    on, even = (1 - smoothing.a) * smoothing.growth, smoothing.a * float(weight.sum()) / rows.classes
    if has_index_targets(case):
        return np.where(kept_rows(case), on * np.abs(row_weights(case)) + even, 0.0)
    target = np.abs(rows.take(case.values["target"], slice(0, rows.count)).astype(np.float64))
    absolute: Array = on * (target @ weight) + even
    return absolute


def several_terms(case: Case) -> int:
    """How many coefficients of a row may differ from 0."""
    return 1 if has_index_targets(case) and not case.options.get("label_smoothing", 0.0) else rows_of(case).classes


def _of_loss(case: Case, by: Rounding) -> tuple[Array, Array]:
    """The bound and the largest |loss|: (rows,) for the reduction "none", else (1,)."""
    found = extremes(case)
    absolute = absolute_coefficients(case)
    if case.operation == "nll_loss":
        size = absolute * found.size
        errors = 0.0 * size
        if "weight" in case.values:
            errors = size * (by.ua + (by.us if by.staged else 0.0)) + by.flushed * kept_rows(case)
    else:
        size = absolute * found.surprisal
        errors = error_of_row_loss(by, found.sums, _terms(case, found, absolute), relative_error_of_sum(by, found.sums, found.classes))
        errors = np.where(kept_rows(case), errors, 0.0)
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


def _upstream(case: Case) -> Upstream:
    """The factor of each row's gradient."""
    rows, denominator = rows_of(case), None
    if effective_reduction(case.options) == "mean":
        denominator = count_denominator(rows.count, FLOAT64)
        if has_index_targets(case):
            target, weight = case.values["target"], case.values.get("weight")
            denominator = index_denominator(index_targets(target, weight, case.options["ignore_index"], rows.classes), FLOAT64)
    return upstream_of(case.values.get("grad_output"), rows.count, denominator, FLOAT64)


def bound_of_gradient_sum(case: Case, grade: Grade) -> Array:
    """How far the sum over the classes of a row's gradient of cross_entropy may be from 0, (rows,): step (9), summed.

    Of the sum only the rounding of the elements counts: |g| adds up to at most r (|S| + A) <= 2 r A, what may be flushed to C times that.
    """
    by = rounding(grade, case.dtype, case.dtype)
    with np.errstate(all="ignore"):
        found, absolute = extremes(case), absolute_coefficients(case)
        upstream = _upstream(case)
        eps_s = relative_error_of_sum(by, found.sums, found.classes)
        of_p = _error_of_softmax(by, found, eps_s, np.full_like(found.spread, found.log_classes))
        count = float(additions(by, several_terms(case), np.inf))
        bound = absolute * (of_p + by.ua * (count + 9) + (10 * by.us if by.staged else 0.0) + 2 * found.classes * by.flushed)
        everything = slice(0, len(absolute))
        last = upstream.last_roundings(by, (2 * upstream.size * absolute)[:, np.newaxis], everything)[:, 0]
        last += (found.classes - 1) * upstream.last_roundings(by, np.zeros((len(absolute), 1)), everything)[:, 0]
        bound = upstream.size * bound + last
        if by.staged:
            bound += found.classes * by.flushed * 4 * found.classes * _largest("weight", case) * (1 + upstream.peak)
        factors = absolute * np.maximum(upstream.peak, 1.0) / upstream.divided
        usable = _computable(case, by) & (np.maximum(factors, absolute * upstream.peak) < min(by.returned.max, by.storable) / 8)
        return np.where(kept_rows(case), np.where(usable & np.isfinite(bound), bound, np.inf), 0.0)
