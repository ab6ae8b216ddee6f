"""Honest implementations: every order of summation and every algebraic form that working precision admits."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.dtypes import TARGET_NAMES
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem, times
from xentfuzz.gallery.entry import HonestShelf

SHELF = HonestShelf("ARITHMETIC")

STAGED = {"float16": "staged/any", "bfloat16": "staged/any"}
LOG2_E = 1.4426950408889634


@SHELF.honest("two_pass_shift", "maximum, then sum of exponentials, then (x - m) - log s")
class TwoPassShift(CrossEntropy):
    pass


@SHELF.honest("lse_minus_logit", "surprisals as log-sum-exp minus the logit, softmax as exp(x - lse)")
class LseMinusLogit(CrossEntropy):
    def lse(self, problem: Problem) -> Array:
        largest = self.row_max(problem.logits)
        lse: Array = largest + np.log(self.exp_sum(problem, largest))
        return lse

    def surprisals(self, problem: Problem) -> Array:
        return self.lse(problem) - problem.logits

    def softmax(self, problem: Problem) -> Array:
        return self.exp(problem.logits - self.lse(problem))


@SHELF.honest("smoothing_by_parts", "(1-a) w_y (lse - x_y) + a/C (lse sum w - sum w x), as fused kernels write it")
class SmoothingByParts(LseMinusLogit):
    def smooth_losses(self, problem: Problem, surprisals: Array) -> Array:
        if not problem.smoothing:
            return super().smooth_losses(problem, surprisals)
        share = problem.smoothing / problem.classes
        parts = share * (self.lse(problem)[:, 0] * self.total(problem.weight) - self.total(problem.weight * problem.logits))
        # Near the end of the format the sums overflow where their difference does not.
        return np.where(np.isfinite(parts), parts, super().smooth_losses(problem, surprisals))


@SHELF.honest("softmax_of_surprisals", "backward takes the exponential of the log-probabilities")
class SoftmaxOfSurprisals(CrossEntropy):
    def softmax(self, problem: Problem) -> Array:
        return self.exp(-self.surprisals(problem))


@SHELF.honest("log1p_of_the_others", "log1p of the sum without one maximum: relatively accurate for small losses")
class Log1pOfTheOthers(CrossEntropy):
    def surprisals(self, problem: Problem) -> Array:
        largest = self.row_max(problem.logits)
        terms = self.exp(problem.logits - largest)
        terms[np.arange(problem.rows), problem.logits.argmax(axis=1)] = np.where(np.isnan(largest[:, 0]), np.nan, 0)
        surprisals: Array = (largest - problem.logits) + np.log1p(self.total(terms))[:, None]
        return surprisals


class _Online(CrossEntropy):
    """The online normaliser: one pass, rescaled whenever a block has a larger maximum."""

    block = 64

    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        running, total = np.full_like(largest, -np.inf), np.zeros_like(largest)
        for start in range(0, problem.classes, self.block):
            block = problem.logits[:, start : start + self.block]
            raised = np.maximum(running, self.row_max(block))
            # Nothing but -inf so far: there is nothing to rescale, and inf - inf to avoid.
            shift = np.where(np.isneginf(raised), 0, raised)
            total = total * self.exp(running - shift) + self.total(self.exp(block - shift))[:, None]
            running = raised
        return total


@SHELF.honest("online_blocks", "online normaliser, blocks of 64")
class OnlineBlocks(_Online):
    pass


@SHELF.honest(
    "online_elements",
    "online normaliser, element by element",
    supports={"target_dtypes": TARGET_NAMES, "largest_class_count": 2048},  # it loops over classes in Python
)
class OnlineElements(_Online):
    block = 1


@SHELF.honest("powers_of_two", "2 to the power of x log2 e - m log2 e, in one multiplication and subtraction")
class PowersOfTwo(CrossEntropy):
    def _scaled(self, problem: Problem, largest: Array) -> Array:
        factor = problem.logits.dtype.type(LOG2_E)
        scaled: Array = problem.logits * factor - largest * factor
        # Where the products overflow, the difference does not.
        return np.where(np.isfinite(scaled), scaled, (problem.logits - largest) * factor)

    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        return self.total(np.exp2(self._scaled(problem, largest)))[:, None]

    def softmax(self, problem: Problem) -> Array:
        largest = self.row_max(problem.logits)
        softmax: Array = np.exp2(self._scaled(problem, largest)) / self.exp_sum(problem, largest)
        return softmax


class _Sequential(CrossEntropy):
    def total(self, terms: Array) -> Array:
        if not terms.shape[-1]:
            return super().total(terms)
        partial: Array = np.add.accumulate(terms, axis=-1)
        return partial[..., -1]


@SHELF.honest("sequential_sums", "every sum one term after the other")
class SequentialSums(_Sequential):
    pass


@SHELF.honest("sequential_sums_lse", "sequential sums and log-sum-exp minus the logit")
class SequentialSumsLse(_Sequential, LseMinusLogit):
    pass


@SHELF.honest("reversed_sums", "every sum one term after the other, from the end")
class ReversedSums(_Sequential):
    def total(self, terms: Array) -> Array:
        return super().total(terms[..., ::-1])


@SHELF.honest("pairwise_sums", "every sum as a binary tree")
class PairwiseSums(CrossEntropy):
    def total(self, terms: Array) -> Array:
        while terms.shape[-1] > 1:
            if terms.shape[-1] % 2:
                terms = np.concatenate([terms, np.zeros_like(terms[..., :1])], axis=-1)
            terms = terms[..., 0::2] + terms[..., 1::2]
        return super().total(terms)


@SHELF.honest("strided_sums", "32 lanes, lane k sums the terms k, k + 32, ..., then the lanes are summed")
class StridedSums(_Sequential):
    lanes = 32

    def total(self, terms: Array) -> Array:
        passes = -(-terms.shape[-1] // self.lanes)
        padding = [(0, 0)] * (terms.ndim - 1) + [(0, passes * self.lanes - terms.shape[-1])]
        lanes = np.pad(terms, padding).reshape(*terms.shape[:-1], passes, self.lanes)
        return super().total(super().total(np.moveaxis(lanes, -2, -1)))


@SHELF.honest("shuffled_sums", "atomic additions: the terms arrive in another order each time", deterministic=False)
class ShuffledSums(_Sequential):
    def __init__(self) -> None:
        self.order = np.random.default_rng()

    def total(self, terms: Array) -> Array:
        return super().total(terms[..., self.order.permutation(terms.shape[-1])])


@SHELF.honest("float64_internals", "everything in float64, one rounding at the end")
class Float64Internals(CrossEntropy):
    def arithmetic(self, given: Given) -> np.dtype[Any]:
        del given
        return np.dtype(np.float64)


@SHELF.honest("flush_to_zero", "subnormal numbers of the arithmetic dtype become 0, in arguments and results")
class FlushToZero(CrossEntropy):
    def _flushed(self, values: Array) -> Array:
        return np.where(np.abs(values) < np.finfo(values.dtype).smallest_normal, 0, values)

    def logit_rows(self, given: Given) -> Array:
        return self._flushed(super().logit_rows(given))

    def exp(self, x: Array) -> Array:
        return self._flushed(super().exp(x))

    def softmax(self, problem: Problem) -> Array:
        return self._flushed(super().softmax(problem))

    def finish_gradient(self, problem: Problem, gradient: Array) -> Array:
        return super().finish_gradient(problem, self._flushed(gradient))

    def finish_loss(self, problem: Problem, loss: Array) -> Array:
        return super().finish_loss(problem, self._flushed(loss))


@SHELF.honest("reciprocals", "products with 1 / s and 1 / W instead of quotients")
class Reciprocals(CrossEntropy):
    def softmax(self, problem: Problem) -> Array:
        largest = self.row_max(problem.logits)
        return self.exp(problem.logits - largest) * (1 / self.exp_sum(problem, largest))

    def reduce(self, problem: Problem, losses: Array) -> Array:
        if problem.given.reduction != "mean":
            return super().reduce(problem, losses)
        return np.asarray(self.total(losses) * (1 / self.divisor(problem)))

    def row_scale(self, problem: Problem, upstream: Array) -> Array:
        return upstream * (1 / self.divisor(problem)) if problem.given.reduction == "mean" else upstream


@SHELF.honest("scaled_before_summed", "the mean divides every row's loss before it sums: no overflow of the sum")
class ScaledBeforeSummed(CrossEntropy):
    def reduce(self, problem: Problem, losses: Array) -> Array:
        if problem.given.reduction != "mean":
            return super().reduce(problem, losses)
        divisor = self.divisor(problem)
        return np.asarray(self.total(losses / divisor) if divisor else self.total(losses) / divisor)


@SHELF.honest("coefficients_everywhere", "the loss as the sum of q_c l_c over all classes, for indices too")
class CoefficientsEverywhere(CrossEntropy):
    def row_losses(self, problem: Problem) -> Array:
        return np.where(problem.kept, self.total(times(self.coefficients(problem), self.surprisals(problem))), 0)


@SHELF.honest("staged_in_16_bits", "16-bit logits: log-probabilities are stored in 16 bits between two steps", grade=STAGED)
class StagedIn16Bits(CrossEntropy):
    def surprisals(self, problem: Problem) -> Array:
        surprisals = super().surprisals(problem)
        return surprisals.astype(problem.given.storage).astype(surprisals.dtype)

    def softmax(self, problem: Problem) -> Array:
        return self.exp(-self.surprisals(problem))
