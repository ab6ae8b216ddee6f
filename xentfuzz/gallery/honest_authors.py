"""Honest implementations: the arithmetic of kernels as their authors write them, for CPUs and for devices."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.dtypes import TARGET_NAMES
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Problem
from xentfuzz.gallery.entry import HonestShelf

SHELF = HonestShelf("AUTHORS")


@SHELF.honest("kahan_sums", "compensated sums, term by term", supports={"largest_class_count": 4096})  # it loops over terms in Python
class KahanSums(CrossEntropy):
    def total(self, terms: Array) -> Array:
        total, lost = np.zeros(terms.shape[:-1], terms.dtype), np.zeros(terms.shape[:-1], terms.dtype)
        for index in range(terms.shape[-1]):
            term = terms[..., index] - lost
            grown = total + term
            # Of a sum that is infinite nothing is lost.
            lost = np.where(np.isfinite(grown), (grown - total) - term, 0)
            total = grown
        return np.asarray(total)


@SHELF.honest("float64_sums", "exponentials in working precision, their sum and all others in float64")
class Float64Sums(CrossEntropy):
    def total(self, terms: Array) -> Array:
        return np.asarray(terms.sum(axis=-1, dtype=np.float64)).astype(terms.dtype)


@SHELF.honest("logaddexp_of_shifted_logits", "log-sum-exp as a tree of logaddexp, of logits without their maximum")
class LogaddexpOfShiftedLogits(CrossEntropy):
    def surprisals(self, problem: Problem) -> Array:
        largest = self.row_max(problem.logits)
        tree = shifted = problem.logits - largest
        while tree.shape[1] > 1:
            if tree.shape[1] % 2:
                tree = np.concatenate([tree, np.full_like(tree[:, :1], -np.inf)], axis=1)
            tree = np.logaddexp(tree[:, 0::2], tree[:, 1::2])
        surprisals: Array = tree - shifted
        # Where nothing was shifted NaN can't be told from the rest of a row.
        return np.where(np.isnan(largest), np.nan, surprisals)

    def softmax(self, problem: Problem) -> Array:
        return self.exp(-self.surprisals(problem))


@SHELF.honest("two_passes_over_chunks", "maximum and sum of each chunk, then all of them rescaled to the row's maximum at once")
class TwoPassesOverChunks(CrossEntropy):
    chunk = 128

    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        parts = []
        for start in range(0, problem.classes, self.chunk):
            block = problem.logits[:, start : start + self.chunk]
            top = self.row_max(block)
            # A chunk of nothing but -inf adds 0.
            shift = np.where(np.isneginf(top), 0, top)
            parts.append(self.total(self.exp(block - shift))[:, None] * self.exp(top - largest))
        return self.total(np.concatenate(parts, axis=1))[:, None]


LOG2_E = 1.4426950408889634


@SHELF.honest(
    "scale_folded_into_exp2",
    "2 to the power of one fused multiply-add, x log2 e - m log2 e, which overflows where the product does",
    supports={"target_dtypes": TARGET_NAMES, "largest_logit": 2e38},
)
class ScaleFoldedIntoExp2(CrossEntropy):
    def exp2(self, problem: Problem, largest: Array) -> Array:
        dtype = problem.logits.dtype
        factor = dtype.type(LOG2_E)
        # float64 holds every product of two float32 numbers: one rounding, as of an FMA.
        fused = problem.logits * np.float64(factor) - largest * factor
        return np.asarray(np.exp2(fused.astype(dtype)))

    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        return self.total(self.exp2(problem, largest))[:, None]

    def softmax(self, problem: Problem) -> Array:
        largest = self.row_max(problem.logits)
        softmax: Array = self.exp2(problem, largest) / self.exp_sum(problem, largest)
        return softmax


def _off(exact: Array, units: Any) -> Array:
    """Values off by so many units in the last place."""
    moved: Array = exact + (units * np.spacing(np.abs(exact))).astype(exact.dtype)
    return np.where(np.isfinite(exact) & (exact != 0), moved, exact)


@SHELF.honest(
    "approximate_intrinsics",
    "exp, log and quotients as far off as CUDA's guide documents for __expf, __logf and __fdividef, subnormals flushed",
    grade="fast-math/any",
)
class ApproximateIntrinsics(CrossEntropy):
    def exp(self, x: Array) -> Array:
        units = np.where(x == 0, 0, 2 + np.floor(1.173 * np.where(np.isfinite(x), np.abs(x), 0)))
        powers = _off(np.exp(x), units)
        return np.where(np.abs(powers) < np.finfo(x.dtype).smallest_normal, 0, powers)

    def log(self, s: Array) -> Array:
        """Off by 2**-21.41 in absolute terms near 1, in float64 by as many of its roundings, and by 3 units elsewhere."""
        absolute = 2**2.59 * np.finfo(s.dtype).eps / 2
        logarithm = np.log(s)
        return np.where((s >= 0.5) & (s <= 2), (logarithm + absolute).astype(s.dtype), _off(logarithm, 3))

    def surprisals(self, problem: Problem) -> Array:
        largest = self.row_max(problem.logits)
        surprisals: Array = (largest - problem.logits) + self.log(self.exp_sum(problem, largest))
        return surprisals

    def softmax(self, problem: Problem) -> Array:
        return _off(super().softmax(problem), 2)

    def reduce(self, problem: Problem, losses: Array) -> Array:
        reduced = super().reduce(problem, losses)
        return np.asarray(_off(reduced, 2) if problem.given.reduction == "mean" else reduced)
