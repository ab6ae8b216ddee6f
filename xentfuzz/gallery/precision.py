"""Bugs of precision: results that are nearly right, or right for few terms."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("PREC")

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
FLOAT16_SMALLEST_NORMAL = 2.0**-14
# 2**f on [0, 1) by a cubic, relative error 1e-4: interpolated at the Chebyshev nodes (cos((2k+1) pi/8) + 1) / 2.
CUBIC = np.polynomial.Chebyshev.interpolate(np.exp2, 3, domain=(0, 1)).convert(kind=np.polynomial.Polynomial).coef


def is_16_bit(problem: Problem) -> bool:
    return problem.given.storage.itemsize == 2


def sequential_sum(terms: Array, dtype: np.dtype[Any]) -> Array:
    """The sum over the last axis in `dtype`, one after the other, every partial sum rounded."""
    if not terms.shape[-1]:
        return np.zeros(terms.shape[:-1], dtype)
    partial: Array = np.add.accumulate(terms.astype(dtype), axis=-1, dtype=dtype)
    return partial[..., -1]


@SHELF(
    "R58",
    tier=3,
    reference="pytorch/pytorch#29429, #61523, #85791; PaddlePaddle/Paddle PR#74070; awslabs/raf PR#113",
    mechanism="16-bit row losses are summed in 16 bits",
    shown=Shown(call(lambda: np.zeros((512, 2)), lambda: np.zeros(512, np.int64), dtype="bfloat16"), "loss", wrong="0.5", right="0.6914"),
    unaffected=call(lambda: np.zeros((512, 2)), lambda: np.zeros(512, np.int64)),
    smallest=4,
)
class SumsRowsIn16Bits(CrossEntropy):
    def reduce(self, problem: Problem, losses: Array) -> Array:
        if problem.given.reduction == "none" or not is_16_bit(problem):
            return super().reduce(problem, losses)
        total = sequential_sum(losses, problem.given.storage).astype(losses.dtype)
        return np.asarray(total / self.divisor(problem) if problem.given.reduction == "mean" else total)


@SHELF(
    "R59",
    tier=3,
    reference="pytorch/executorch PR#20090; sonos/tract PR#2586; google-research/last PR#43; jax-ml/jax PR#40598",
    mechanism="the exponentials of 16-bit logits are summed in 16 bits: bfloat16 sticks at 256, float16 at 2048",
    shown=Shown(call(lambda: np.zeros((1, 512)), [0], dtype="bfloat16"), "loss", wrong="5.531", right="6.25"),
    unaffected=call(lambda: np.zeros((1, 512)), [0]),
    smallest=2,
)
class SumsExponentialsIn16Bits(CrossEntropy):
    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        if not is_16_bit(problem):
            return super().exp_sum(problem, largest)
        terms = self.exp(problem.logits - largest)
        return sequential_sum(terms, problem.given.storage).astype(terms.dtype)[:, None]


@SHELF(
    "R60",
    tier=4,
    reference="pytorch/pytorch#55657 (fix PR#55841)",
    mechanism="losses and kept rows are counted in one running float32 each, which stops at 2^24",
    shown=Shown(
        call(lambda: np.zeros((2**24 + 2**22, 2), np.float32), lambda: np.zeros(2**24 + 2**22, np.int8), target_dtype="int8"),
        "loss",
        wrong="0.9092",
        right="0.6931",
        slow=True,
    ),
    unaffected=call(TWO, [0, 1]),
    smallest=2 * (2**24 + 1),
    profile="thorough",
)
class CountsInFloat32(CrossEntropy):
    def total(self, terms: Array) -> Array:
        return sequential_sum(terms, terms.dtype) if terms.ndim == 1 else super().total(terms)

    def denominator(self, problem: Problem) -> Any:
        if problem.labels is None or problem.given.weight is not None:
            return super().denominator(problem)
        return self.total(problem.kept.astype(problem.logits.dtype))


@SHELF(
    "R62",
    tier=3,
    reference="pytorch/pytorch PR#24457",
    mechanism="bfloat16 results are truncated, not rounded to nearest",
    shown=Shown(call(TWO, [2, 2], dtype="bfloat16"), "loss", wrong="0.785156", right="0.789062", digits=6),
    unaffected=call(TWO, [0, 1], dtype="float16"),
    smallest=2,
)
class TruncatesBfloat16(CrossEntropy):
    def rounded(self, values: Array, dtype: np.dtype[Any]) -> Array:
        if dtype.name != "bfloat16":
            return super().rounded(values, dtype)
        bits = np.asarray(values, np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
        return bits.view(np.float32).astype(dtype)


@SHELF(
    "R64",
    tier=3,
    reference="chainer/chainer PR#6366",
    mechanism="the number of kept rows is held in the logits' dtype: inf in float16 from 65520 on",
    shown=Shown(
        call(lambda: np.zeros((70_000, 2)), lambda: np.zeros(70_000, np.int64), dtype="float16"), "loss", wrong="0", right="0.6934"
    ),
    unaffected=call(lambda: np.zeros((70_000, 2)), lambda: np.zeros(70_000, np.int64)),
    smallest=514,
)
class CountsInTheLogitsDtype(CrossEntropy):
    def divisor(self, problem: Problem) -> Any:
        divisor = super().divisor(problem)
        return divisor if problem.given.weight is not None else problem.logits.dtype.type(divisor.astype(problem.given.storage))


@SHELF(
    "R65",
    tier=3,
    reference="ml-explore/mlx PR#4520",
    mechanism="log-sum-exp and the target's logit are subtracted in the 16-bit dtype of the logits",
    shown=Shown(call([[100.0, 99.0, 98.0]], [0], dtype="bfloat16"), "loss", wrong="0.5", right="0.4082"),
    unaffected=call([[100.0, 99.0, 98.0]], [0]),
    smallest=2,
)
class SubtractsIn16Bits(CrossEntropy):
    def hard_losses(self, problem: Problem, surprisals: Array) -> Array:
        if problem.labels is None or not is_16_bit(problem):
            return super().hard_losses(problem, surprisals)
        largest = self.row_max(problem.logits)
        storage = problem.given.storage
        lse = (largest + np.log(self.exp_sum(problem, largest))).astype(storage)
        return super().hard_losses(problem, (lse - problem.logits.astype(storage)).astype(surprisals.dtype))


@SHELF(
    "D20",
    tier=3,
    reference="derived",
    mechanism="float16 gradients below the smallest normal number become 0",
    shown=Shown(call([[0.0, 10.0]], [1], dtype="float16"), "gradient", wrong="0 0", right="4.542e-05 -4.542e-05"),
    unaffected=call(TWO, [0, 1], dtype="float16"),
    smallest=2,
)
class FlushesFloat16Gradients(CrossEntropy):
    def finish_gradient(self, problem: Problem, gradient: Array) -> Array:
        flushed = (problem.given.storage == np.float16) & (np.abs(gradient) < FLOAT16_SMALLEST_NORMAL)
        return super().finish_gradient(problem, np.where(flushed, 0, gradient))


@SHELF(
    "D21",
    tier=1,
    reference="derived",
    mechanism="float32 exp by a cubic polynomial, relative error 1e-4",
    shown=Shown(call(TWO, [0, 1]), "loss", wrong="2.788651", right="2.788726", digits=7),
    unaffected=call(TWO, [0, 1], dtype="float64"),
    smallest=2,
)
class ApproximateExp(CrossEntropy):
    def exp(self, x: Array) -> Array:
        if x.dtype != np.float32:
            return super().exp(x)
        powers = x * np.float32(1 / np.log(2))
        whole = np.floor(powers)
        cubic = np.polynomial.polynomial.polyval(powers - whole, CUBIC.astype(np.float32))
        # Far below and far above, the exponent does not fit an int.
        raised = np.ldexp(cubic, np.clip(np.nan_to_num(whole), -200, 200).astype(np.int32))
        return np.where(np.isfinite(x), raised, super().exp(x)).astype(np.float32)
