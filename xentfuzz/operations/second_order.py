"""Derivatives of the derivatives, exactly and with their bounds: Jacobian times vector (forward mode) and Hessian times vector.

A direction v has the shape of the first argument x; all of this is linear in v. Per row, with p, q, S, r of `bounds.py`, V = sum p v:

    loss          Jacobian times v     S V - sum q v (reduced as the loss is)     Hessian times v     r S p (v - V)
    softmax                            p (v - V)                                                      p ((v - V) (g - G) - cov)
    log_softmax                        v - V                                                          - H p (v - V)
    nll_loss                           -w_y v_y                                                       0

g: the upstream gradient, G = sum p g, H = sum g, cov = sum p (v - V) (g - G). The gradient by g of <v, gradient of x> is the Jacobian
times v again: the gradient is linear in g. A double backward therefore gives both columns.

(15) Bounds, in the notation of `bounds.py`. T = sum p |v|; P the relative error of p. V errs by
    sum p |v| P + ua (additions over p |v| + 2) T.
    Loss, Jacobian: the dot product of v with the gradient, of which every element errs as in (9), or sum q (V - v), or S V - sum q v:
    sum |v_c| (error of the gradient's c) + A (error of V) + ua (additions over (p A + Q) |v| + 4) sum (p A + Q) |v|; then (7), (8), (6).
    Loss, Hessian: p v and p V may be rounded apart from each other:
    |S| (p P (|v| + T) + p (1 + P) (error of V) + 4 ua p (|v| + T)) + ua (G + 3) A p (|v| + T), G the additions over Q; then r as in (9).
    Log-softmax: the same with H for S and sum |g| for A; its Jacobian v - V: error of V + ua (|v| + T).
    Softmax, Jacobian: its gradient of (12), which is symmetric. Hessian: p (h - sum p h) with h = v (g - G) - g V, of which
    |v| |g| + |v| sum p |g| + |g| T is the size and |v| (error of G) + |g| (error of V) + 4 ua size the error.
    `staged`: 8 us where a term has ua, for each operation's result is stored; where a product leaves the storage format nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.operations import get_operation
from xentfuzz.operations.bounds import (
    Rounding,
    additions,
    error_of_gradient,
    relative_error_of_softmax,
    relative_error_of_sum,
    shares,
)
from xentfuzz.operations.case import Case
from xentfuzz.operations.cross_entropy import CrossEntropyEvaluation
from xentfuzz.operations.cross_entropy_parts import Part
from xentfuzz.operations.expectation import ANYTHING, Block, Evaluation
from xentfuzz.operations.intermediates import intermediates_of_gradient
from xentfuzz.operations.log_softmax import LogSoftmaxEvaluation
from xentfuzz.operations.nll_loss import NllLossEvaluation
from xentfuzz.operations.normalised import NormalisedEvaluation
from xentfuzz.operations.outcome_sets import OutcomeSets
from xentfuzz.operations.precision import Wide, concatenate
from xentfuzz.operations.reduction import RowLosses
from xentfuzz.operations.row_quantities import RowQuantities
from xentfuzz.operations.softmax import SoftmaxEvaluation
from xentfuzz.operations.steps import PRODUCTS

Array = np.ndarray[Any, Any]

STORED = 8  # roundings to 16 bits of each term, where results of single operations are stored


class Mean(NamedTuple):
    """V = sum p v of each row. wide: (rows, 1); size: T = sum p |v|, error: of V, (rows, 1) float64."""

    wide: Wide
    size: Array
    error: Array


def relative_error(rows: RowQuantities, by: Rounding) -> Array:
    """P, (rows, classes), with what storing p costs."""
    relative = relative_error_of_softmax(by, rows, rows.sums, relative_error_of_sum(by, rows.sums, rows.classes))
    return relative + 5 * by.us if by.staged else relative


def of_terms(by: Rounding) -> float:
    """One rounding of each term: in the arithmetic format, and where terms are stored."""
    return by.of(PRODUCTS) + (STORED * by.us if by.staged else 0.0)


def mean(rows: RowQuantities, vector: Array, relative: Array, by: Rounding) -> Mean:
    weighted = rows.p * np.abs(vector)
    total = weighted.sum(axis=1)
    count = additions(by, rows.classes, shares(weighted, total, by.ua))
    error = np.einsum("ij,ij->i", relative, weighted) + by.of(PRODUCTS) * count * total + 2 * of_terms(by) * total
    error += by.flushed * np.abs(vector).sum(axis=1)
    return Mean((rows.wide_p * vector).sum(axis=1).reshape(-1, 1), total[:, np.newaxis], error[:, np.newaxis])


def centred_error(rows: RowQuantities, vector: Array, of: Mean, relative: Array, by: Rounding) -> Array:
    """Of p (v - V), its two terms rounded apart from each other."""
    size = np.abs(vector) + of.size
    error: Array = rows.p * (relative * size + (1 + relative) * of.error + 4 * of_terms(by) * size)
    return error + by.flushed * (1 + size)


class CrossEntropyDerivatives(CrossEntropyEvaluation):
    """Its "value" is the Jacobian times `vector`; "grad_logits": Hessian times it. For finite logits and weights."""

    def __init__(self, case: Case, vector: Array) -> None:
        super().__init__(case)
        self.vector = vector

    def outputs(self) -> tuple[str, ...]:
        return ("value", "grad_logits")

    def _vector(self, rows: slice) -> Array:
        return np.ascontiguousarray(self.rows.take(self.vector, rows), np.float64)

    @cached_property
    def losses(self) -> RowLosses:
        """The Jacobian of each row's loss times the vector, in place of the loss."""
        with np.errstate(all="ignore"):
            found = [self._tangents(self.part(rows)) for rows in self.rows.ranges()]
        largest = np.concatenate([intermediate for _, intermediate in found])
        return RowLosses(concatenate([wide for wide, _ in found]), self.precision, intermediates=largest)

    def _tangents(self, part: Part) -> tuple[Wide, Array]:
        """The exact ones, and the largest number on the way to each, (rows,)."""
        vector, q = self._vector(part.rows), part.coefficients
        expected = (part.quantities.wide_p * vector).sum(axis=1)
        exact = q.wide_total * expected - (q.wide * vector).sum(axis=1)
        # Beside the terms, what a kernel meets before v has a say in it.
        largest = intermediates_of_gradient(part, self) if self.storage_overflows else np.zeros(len(vector))
        return exact, np.maximum(largest, 1.0) * np.maximum(np.abs(vector).max(axis=1), 1.0)

    def errors(self, by: Rounding) -> Array:
        with np.errstate(all="ignore"):
            error = np.concatenate([self._tangent_errors(self.part(rows), by) for rows in self.rows.ranges()])
        return error * self.targets.kept if self.targets is not None else error

    def _tangent_errors(self, part: Part, by: Rounding) -> Array:
        rows, q, size = part.quantities, part.coefficients, np.abs(self._vector(part.rows))
        sums = self.sums
        terms = sums.terms.part(part.rows)
        of_gradient = error_of_gradient(by, rows, sums.rows.part(part.rows), terms, q)
        products = (rows.p * terms.absolute[:, np.newaxis] + q.magnitude) * size
        total = products.sum(axis=1)
        count = additions(by, rows.classes, shares(products, total, by.ua))
        error: Array = np.einsum("ij,ij->i", of_gradient, size) + (by.of(PRODUCTS) * count + 4 * of_terms(by)) * total
        error += terms.absolute * mean(rows, self._vector(part.rows), relative_error(rows, by), by).error[:, 0]
        error += by.flushed * (1 + terms.absolute) * (1 + size.sum(axis=1))
        return error

    def _gradient_block(self, part: Part, by: Rounding) -> Block:
        """r S p (v - V)."""
        rows, q, vector = part.quantities, part.coefficients, self._vector(part.rows)
        relative = relative_error(rows, by)
        of = mean(rows, vector, relative, by)
        unscaled = rows.wide_p * (vector - of.wide) * q.wide_total.reshape(-1, 1)
        exact = unscaled * self.upstream.wide[part.rows].reshape(-1, 1)
        terms = self.sums.terms.part(part.rows)
        count = additions(by, terms.terms, terms.shares_absolute)
        of_sum = (by.of(PRODUCTS) * count + 3 * of_terms(by)) * terms.absolute
        error = np.abs(q.total)[:, np.newaxis] * centred_error(rows, vector, of, relative, by)
        error += of_sum[:, np.newaxis] * rows.p * (np.abs(vector) + of.size)
        error += by.flushed * (1 + terms.absolute)[:, np.newaxis] * (1 + np.abs(vector).sum(axis=1, keepdims=True))
        error *= self.upstream.peak[part.rows, np.newaxis] if by.staged else self.upstream.size[part.rows, np.newaxis]
        size = np.abs(self.precision.narrow(exact))
        # Of the terms, and not of their difference: the upstream gradient may come before it.
        scaled = (self.upstream.size[part.rows] * terms.absolute)[:, np.newaxis] * rows.p * (np.abs(vector) + of.size)
        allowed = (
            error
            + self.upstream.last_roundings(by, size + scaled, part.rows)
            + by.flushed * (1 + np.abs(vector).sum(axis=1, keepdims=True))
        )
        sets = OutcomeSets(rows.x.shape)
        self.special_gradients(sets, part.rows, by)
        self.late_scaling(sets, np.abs(self.precision.narrow(unscaled)), by)
        if by.staged and self.storage_overflows:
            largest = 4 * intermediates_of_gradient(part, self) * np.maximum(np.abs(vector).max(axis=1), 1.0)
            sets.replace((largest > by.storable)[:, np.newaxis], ANYTHING)
        return self.block(part.rows, *self.finished(exact, self._exact_zeros(part, allowed), sets, by), sets)


class _Directional(NormalisedEvaluation):
    """A softmax's derivatives along `vector`: "value" is the Jacobian times it, "grad_logits" the Hessian."""

    def __init__(self, case: Case, vector: Array) -> None:
        super().__init__(case)
        self.vector = vector
        self.along: Array = np.zeros((0, 0))

    def _block(self, output: str, part: slice, by: Rounding) -> Block:
        self.along = np.ascontiguousarray(self.rows.take(self.vector, part), np.float64)
        return super()._block(output, part, by)

    def _intermediates(self, output: str, quantities: RowQuantities, part: slice) -> Array:
        """Both outputs come of one double backward, which multiplies up to four terms of g by v before any of them is small."""
        del output
        size = np.abs(self.along)
        largest = np.maximum(super()._intermediates("grad_logits", quantities, part), 1.0)
        beside: Array = 4 * largest * np.maximum(size.max(axis=1, keepdims=True), 1.0) + size.sum(axis=1, keepdims=True)
        return beside


class SoftmaxDerivatives(_Directional, SoftmaxEvaluation):
    def value(self, rows: RowQuantities, by: Rounding) -> tuple[Wide, Array]:
        of = mean(rows, self.along, relative := relative_error(rows, by), by)
        return rows.wide_p * (self.along - of.wide), centred_error(rows, self.along, of, relative, by)

    def gradient(self, rows: RowQuantities, upstream: Array, by: Rounding) -> tuple[Wide, Array]:
        """p (h - sum p h), h = v (g - G) - g V."""
        v, g, relative = self.along, upstream, relative_error(rows, by)
        of_v, of_g = mean(rows, v, relative, by), mean(rows, g, relative, by)
        centred = (v - of_v.wide) * (g - of_g.wide)
        exact = rows.wide_p * (centred - (rows.wide_p * centred).sum(axis=1).reshape(-1, 1))
        size = np.abs(v) * (np.abs(g) + of_g.size) + np.abs(g) * of_v.size
        error_of_h = np.abs(v) * of_g.error + np.abs(g) * of_v.error + 4 * of_terms(by) * size + by.flushed * (1 + np.abs(g) + np.abs(v))
        of_h = mean(rows, size, relative, by)
        error_of_mean = of_h.error + ((1 + relative) * rows.p * error_of_h).sum(axis=1, keepdims=True)
        error = rows.p * (relative * (size + of_h.size) + (1 + relative) * (error_of_h + error_of_mean))
        return exact, error + 4 * of_terms(by) * rows.p * (size + of_h.size) + by.flushed * (1 + size)


class LogSoftmaxDerivatives(_Directional, LogSoftmaxEvaluation):
    def value(self, rows: RowQuantities, by: Rounding) -> tuple[Wide, Array]:
        of = mean(rows, self.along, relative_error(rows, by), by)
        error = of.error + 2 * of_terms(by) * (np.abs(self.along) + of.size) + by.flushed
        return self.along - of.wide, error

    def gradient(self, rows: RowQuantities, upstream: Array, by: Rounding) -> tuple[Wide, Array]:
        """-H p (v - V), H = sum g."""
        v, relative = self.along, relative_error(rows, by)
        of, wide_total = mean(rows, v, relative, by), self.precision.widen(upstream).sum(axis=1).reshape(-1, 1)
        size = np.abs(upstream)
        sizes = size.sum(axis=1)
        count = additions(by, rows.classes, shares(size, sizes, by.ua))
        of_total = ((by.of(PRODUCTS) * count + 3 * of_terms(by)) * sizes)[:, np.newaxis]
        total = np.abs(self.precision.narrow(wide_total))
        error = (total + of_total) * centred_error(rows, v, of, relative, by) + of_total * rows.p * (np.abs(v) + of.size)
        return -(wide_total * (rows.wide_p * (v - of.wide))), error + by.flushed * (1 + sizes)[:, np.newaxis] * (1 + np.abs(v))


class NllLossDerivatives(NllLossEvaluation):
    """The loss is linear: its Jacobian times a vector is the loss of the vector, and the Hessian 0."""

    def __init__(self, case: Case, vector: Array) -> None:
        arrays = {**case.arrays, "log_probs": StridedArray.of(vector)}
        super().__init__(replace(case, arrays=arrays))

    def gradient_blocks(self, output: str, grade: Any, dtype: str) -> Iterator[Block]:
        for block in super().gradient_blocks(output, grade, dtype):
            yield replace(block, exact=np.zeros_like(block.exact), allowed=np.zeros_like(block.allowed), outcomes=None, policy=None)


def evaluate_along(case: Case, vector: Array) -> Evaluation:
    """The evaluation of an ordinary case's derivatives along `vector`, of the first argument's shape and dtype.

    Its "value" is the Jacobian times the vector, "grad_<first argument>" the Hessian times it.
    """
    along = get_operation(case.operation).along
    assert along is not None, f"{case.operation} states no derivatives along a vector"
    return along(case, vector)
