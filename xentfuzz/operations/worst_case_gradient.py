"""Error bounds of gradients that need no exact result; see `worst_case.py` for what is known of a row, and how the worst case is found.

With e_c = exp(-d_c) >= p_c, because s >= 1, and E_c = e_c P_c >= p_c P_c for the absolute error of a probability; P' = sum p_c P_c as
there; g = max |g_c| of a row's upstream gradient, A = sum_c Q_c:

* cross_entropy, step (9) of `bounds.py`: |S| <= A leaves r (A E_c + ua (additions + 6) A e_c + 3 ua Q_c), and for the last roundings
  |gradient| <= r (A e_c + Q_c).
* nll_loss: -r w_y at the target is one product, and exactly 0 elsewhere.
* softmax, step (12): |G| <= sum p |g_c| <= g, so that G errs by g (P' + ua (additions + 2)) at most; |g_c - G| <= 2 g leaves
  2 g E_c + (e_c + E_c) (error of G) + 3 ua e_c (|g_c| + g). The gradient itself is at most 2 g e_c, and at most g / 2, as
  p_c (1 - p_c) 2 g is.
* log_softmax, step (12): H = sum g_c is known; |H| E_c + ua (additions + 2) e_c sum |g_c| + ua (|g_c| + e_c |H|).

The sum over the classes of a row's gradient is 0 for all but nll_loss. Its bound is the sum of the bounds of the elements with
sum p_c P_c <= P', sum p_c = 1, sum Q_c = A; |gradient| adds up to at most 2 r A, 2 g or sum |g_c| + |H|.

The bounds are inf where an intermediate result might leave the range of its format: nothing is said there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz.operations.bounds import Rounding, additions, relative_error_of_sum, rounding
from xentfuzz.operations.case import Case
from xentfuzz.operations.derived_cases import first_argument, has_index_targets, kept_rows, row_weights
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.operation import WorstCase
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.precision import FLOAT64
from xentfuzz.operations.reduction import Upstream, denominator_is_storable, upstream_of
from xentfuzz.operations.targets import count_denominator, index_denominator, index_targets
from xentfuzz.operations.worst_case import (
    absolute_coefficients,
    coefficients,
    error_of_softmax,
    extremes,
    is_computable,
    largest_factor,
    rows_as_numbers,
    rows_of,
    several_terms,
    stated_for,
    value_of_cross_entropy,
    value_of_log_softmax,
    value_of_nll_loss,
    value_of_softmax,
)

Array = np.ndarray[Any, Any]


def bound_of_gradient(case: Case, grade: Grade) -> Array:
    """How far the elements of the first argument's gradient may be from the exact ones: (rows, classes)."""
    with np.errstate(all="ignore"):
        return stated_for(case).gradient(case, grade)


def bound_of_gradient_sum(case: Case, grade: Grade) -> Array:
    """How far the sum over the classes of a row's gradient may be from 0, (rows,). Not for nll_loss, where it is not 0."""
    of_sums = stated_for(case).gradient_sum
    assert of_sums is not None, f"gradients of {case.operation} do not add up to 0"
    with np.errstate(all="ignore"):
        return of_sums(case, grade)


class _Gradient:
    """What the bounds of all operations are made of."""

    def __init__(self, case: Case, grade: Grade) -> None:
        self.case = case
        self.by = rounding(grade, case.dtype, case.dtype)
        self.found = extremes(case)
        self.classes = self.found.classes

    @cached_property
    def eps_s(self) -> Array:
        return relative_error_of_sum(self.by, self.found.sums, self.classes)

    @cached_property
    def probability(self) -> Array:
        """e, (rows, classes)."""
        probability: Array = np.exp(-self.distance)
        return probability

    @cached_property
    def distance(self) -> Array:
        """d, (rows, classes)."""
        x = rows_as_numbers(self.case, first_argument(self.case))
        distance: Array = x.max(axis=1, keepdims=True) - x
        return distance

    @cached_property
    def of_probability(self) -> Array:
        """E, (rows, classes)."""
        return self.probability * error_of_softmax(self.by, self.found, self.eps_s, self.distance)

    @cached_property
    def of_probabilities(self) -> Array:
        """P', (rows,)."""
        return error_of_softmax(self.by, self.found, self.eps_s, np.full((len(self.eps_s), 1), self.found.log_classes))[:, 0]

    @property
    def stored(self) -> float:
        """Relative error of five stored results: 0 unless they are held in 16 bits."""
        return 5 * self.by.us if self.by.staged else 0.0

    def limited(self, bound: Array, usable: Array) -> Array:
        limited: Array = np.where(usable & np.isfinite(bound), bound, np.inf)
        return limited


class _OfLoss(_Gradient):
    @cached_property
    def upstream(self) -> Upstream:
        return _upstream(self.case)

    def storable(self, coefficients: Array) -> Array:
        """Whether the upstream gradient may be divided before it is multiplied by coefficients below 1, (rows,)."""
        fits: Array = self.upstream.peak * np.maximum(coefficients, 1.0) < self.by.storable / 8
        return fits

    def divided(self, bound: Array) -> Array:
        """The bound, which says nothing of any row where the denominator of the mean can't be stored."""
        denominator = self.upstream.denominator
        return bound if denominator is None or denominator_is_storable(self.by, denominator) else np.full_like(bound, np.inf)


class _OfCrossEntropy(_OfLoss):
    @cached_property
    def absolute(self) -> Array:
        return absolute_coefficients(self.case)

    def of_elements(self) -> Array:
        by, e, q = self.by, self.probability, coefficients(self.case)
        a, r = self.absolute[:, np.newaxis], self.upstream.size[:, np.newaxis]
        bound = a * (self.of_probability + (by.ua * (self._additions + 6) + self.stored) * e) + (3 * by.ua + self.stored) * q
        bound = r * (bound + 2 * by.flushed * a) + self._last_roundings(r * (a * e + q)) + self._lost_products[:, np.newaxis]
        return self._of_kept_rows(bound)

    def of_sums(self) -> Array:
        by, classes, scale = self.by, self.classes, (self.upstream.size * self.absolute)[:, np.newaxis]
        of_factors = by.ua * (self._additions + 9) + 2 * self.stored + 2 * classes * by.flushed
        bound = scale * (self.of_probabilities[:, np.newaxis] + of_factors) + classes * self._lost_products[:, np.newaxis]
        bound += self._last_roundings(2 * scale) + (classes - 1) * self._last_roundings(0 * scale)
        return self._of_kept_rows(bound)[:, 0]

    @property
    def _additions(self) -> float:
        return float(additions(self.by, several_terms(self.case), np.inf))

    def _last_roundings(self, gradient: Array) -> Array:
        return self.upstream.last_roundings(self.by, gradient, slice(0, len(gradient)))

    @property
    def _lost_products(self) -> Array:
        """Of one element, (rows,): at most 2 w, and p_c sum_k 2 w_k with p_c <= 1, w >= 1, may each be flushed where all is stored."""
        if not self.by.staged:
            return np.zeros_like(self.upstream.peak)
        lost: Array = self.by.flushed * 4 * self.classes * largest_factor("weight", self.case) * (1 + self.upstream.peak)
        return lost

    def _of_kept_rows(self, bound: Array) -> Array:
        factors = self.absolute * np.maximum(self.upstream.peak, 1.0) / self.upstream.divided
        largest = np.maximum(np.maximum(factors, self.absolute * self.upstream.divided), self.absolute * self.upstream.peak)
        fits = (largest < min(self.by.returned.max, self.by.storable) / 8) & self.storable(self.absolute)
        usable = is_computable(self.case, self.by) & fits
        return self.divided(np.where(kept_rows(self.case)[:, np.newaxis], self.limited(bound, usable[:, np.newaxis]), 0.0))


class _OfNllLoss(_OfLoss):
    def of_elements(self) -> Array:
        upstream, weights = self.upstream, np.abs(row_weights(self.case))
        size = upstream.size * weights
        bound = upstream.last_roundings(self.by, size[:, np.newaxis], slice(0, len(size)))[:, 0] + self.by.ua * size
        largest = np.maximum(upstream.peak * weights, weights * upstream.divided)
        usable = is_computable(self.case, self.by) & (largest < min(self.by.returned.max, self.by.storable) / 8) & self.storable(weights)
        kept, limited = kept_rows(self.case), self.limited(bound, usable)
        # What is stored on the way may be multiplied into every class.
        whole = np.repeat(np.where(np.isfinite(limited) | ~kept, 0.0, np.inf)[:, np.newaxis], self.classes, axis=1)
        whole[kept, self.case.values["target"].reshape(-1)[kept]] = limited[kept]
        return self.divided(whole)


class _OfNormalised(_Gradient):
    def __init__(self, case: Case, grade: Grade) -> None:
        super().__init__(case, grade)
        upstream = rows_as_numbers(case, case.values["grad_output"])
        self.given = np.abs(upstream)
        self.largest, self.sizes = self.given.max(axis=1, keepdims=True), self.given.sum(axis=1, keepdims=True)
        self.total = np.abs(upstream.sum(axis=1, keepdims=True))

    @property
    def count(self) -> float:
        """Roundings of a sum over the classes."""
        return float(additions(self.by, self.classes, np.inf)) + 2

    @property
    def usable(self) -> Array:
        largest: Array = np.maximum(self.sizes, self.classes) < min(self.by.returned.max, self.by.storable) / 8
        return largest & is_computable(self.case, self.by)


class _OfSoftmax(_OfNormalised):
    def of_elements(self) -> Array:
        by, e, g = self.by, self.probability, self.largest
        of_p = self.of_probability + self.stored * e
        bound = 2 * g * of_p + (e + of_p) * self._of_mean + (3 * by.ua + self.stored) * e * (self.given + g)
        bound += by.flushed * (1 + self.given + g + self.sizes * e) + by.u * np.minimum(2 * e, 0.5) * g + by.half_subnormal
        return self.limited(bound, self.usable)

    def of_sums(self) -> Array:
        by, classes, g = self.by, self.classes, self.largest
        of_p = self.of_probabilities[:, np.newaxis] + self.stored
        bound = 2 * g * of_p + (1 + of_p) * self._of_mean + (6 * by.ua + 2 * self.stored) * g
        bound += by.flushed * (classes * (1 + 2 * g) + self.sizes) + 2 * by.u * g + classes * by.half_subnormal
        return self.limited(bound, self.usable)[:, 0]

    @property
    def _of_mean(self) -> Array:
        """The error of G, (rows, 1)."""
        error: Array = self.largest * (self.of_probabilities[:, np.newaxis] + 2 * self.stored + self.by.ua * self.count)
        return error


class _OfLogSoftmax(_OfNormalised):
    def of_elements(self) -> Array:
        by, e = self.by, self.probability
        size = self.given + e * self.total
        bound = self.total * self.of_probability + e * self._of_total + by.ua * size + self.stored * self.given
        return self.limited(bound + by.flushed * (1 + self.sizes) + by.u * size + by.half_subnormal, self.usable)

    def of_sums(self) -> Array:
        by, size = self.by, self.sizes + self.total
        bound = self.total * self.of_probabilities[:, np.newaxis] + self._of_total + by.ua * size + self.stored * self.sizes
        bound += by.u * size + self.classes * (by.flushed * (1 + self.sizes) + by.half_subnormal)
        return self.limited(bound, self.usable)[:, 0]

    @property
    def _of_total(self) -> Array:
        """The error of H, (rows, 1)."""
        error: Array = self.sizes * (self.by.ua * self.count + self.stored)
        return error


def _upstream(case: Case) -> Upstream:
    """The factor of each row's gradient."""
    rows, denominator = rows_of(case), None
    if effective_reduction(case.options) == "mean":
        denominator = count_denominator(rows.count, FLOAT64)
        if has_index_targets(case):
            target, weight = case.values["target"], case.values.get("weight")
            denominator = index_denominator(index_targets(target, weight, case.options["ignore_index"], rows.classes), FLOAT64)
    return upstream_of(case.values.get("grad_output"), rows.count, denominator, FLOAT64)


def _summed(value: Callable[[Case, Rounding], tuple[Array, Array]], of: type[_OfCrossEntropy | _OfSoftmax | _OfLogSoftmax]) -> WorstCase:
    """Of an operation whose gradient adds up to 0 in each row."""
    return WorstCase(value, lambda case, grade: of(case, grade).of_elements(), lambda case, grade: of(case, grade).of_sums())


WORST_CASE_OF_CROSS_ENTROPY = _summed(value_of_cross_entropy, _OfCrossEntropy)
WORST_CASE_OF_SOFTMAX = _summed(value_of_softmax, _OfSoftmax)
WORST_CASE_OF_LOG_SOFTMAX = _summed(value_of_log_softmax, _OfLogSoftmax)
WORST_CASE_OF_NLL_LOSS = WorstCase(value_of_nll_loss, lambda case, grade: _OfNllLoss(case, grade).of_elements())
