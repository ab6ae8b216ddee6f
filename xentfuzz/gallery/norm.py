"""Bugs of the reduction: what the mean divides by."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("NORM")

TWO = [[0.0, 1.0], [2.0, 0.0]]
# (2, 2, 2): two samples of two positions each.
SPATIAL = [[[0.0, 1.0], [2.0, 0.0]], [[3.0, 0.0], [0.0, 1.0]]]


@SHELF(
    "R02",
    tier=1,
    reference="tracel-ai/burn#5568 (fix PR#5569); same slip: llvm/torch-mlir PR#3585, NVIDIA/TransformerEngine PR#2476, "
    "PaddlePaddle/Paddle#48663, chainer/chainer PR#8301",
    mechanism="the mean divides by all rows, the ignored ones included, where no weight is given",
    shown=Shown(call(TWO, [0, -100]), "loss", wrong="0.6566", right="1.313"),
    unaffected=call(TWO, [0, -100], weight=[1.0, 2.0]),
    smallest=4,
)
class CountsIgnoredRows(CrossEntropy):
    def denominator(self, problem: Problem) -> Any:
        return problem.rows if problem.given.weight is None else super().denominator(problem)


@SHELF(
    "R04",
    tier=1,
    reference="PaddlePaddle/Paddle PR#76033",
    mechanism="kept rows are counted only if ignore_index is not negative; all rows count otherwise",
    shown=Shown(call(TWO, [0, -100]), "loss", wrong="0.6566", right="1.313"),
    unaffected=call(TWO, [0, 1], ignore_index=1),
    smallest=4,
)
class CountsForNegativeIgnoreIndex(CrossEntropy):
    def denominator(self, problem: Problem) -> Any:
        counts = problem.given.weight is None and problem.given.ignore_index < 0
        return problem.rows if counts else super().denominator(problem)


@SHELF(
    "R05",
    tier=2,
    reference="apache/mxnet PR#2231 (review)",
    mechanism="kept positions, which include the spatial ones, times the spatial size once more",
    shown=Shown(call(SPATIAL, [[0, 1], [1, 0]]), "loss", wrong="0.9753", right="1.951"),
    unaffected=call(SPATIAL, [[0, 1], [1, 0]], reduction="sum"),
    smallest=4,
)
class DividesBySpatialSizeTwice(CrossEntropy):
    def denominator(self, problem: Problem) -> Any:
        return super().denominator(problem) * (1 if problem.labels is None else problem.given.inner)


@SHELF(
    "R07",
    tier=1,
    reference="pytorch/pytorch PR#33509 (review, ONNX export of NLLLoss)",
    mechanism="the weighted mean divides by the sum of the reciprocals of the targets' weights",
    shown=Shown(call(TWO, [0, 1], weight=[1.0, 4.0]), "loss", wrong="7.857", right="1.964"),
    unaffected=call(TWO, [0, 1], weight=[1.0, 1.0]),
    smallest=2,
)
class DividesByReciprocalWeights(CrossEntropy):
    def denominator(self, problem: Problem) -> Any:
        if problem.labels is None or problem.given.weight is None:
            return super().denominator(problem)
        return self.total(np.where(problem.kept, 1 / self.row_weight(problem), 0))


@SHELF(
    "R08",
    tier=1,
    reference="huggingface/transformers PR#46204",
    mechanism="the rows are counted before the first one, which can't be a target, is masked",
    shown=Shown(call(TWO, [-100, 1]), "loss", wrong="1.063", right="2.127"),
    unaffected=call(TWO, [1, -100]),
    smallest=4,
)
class CountsFirstRowAlways(CrossEntropy):
    def denominator(self, problem: Problem) -> Any:
        counted = super().denominator(problem)
        extra = problem.labels is not None and problem.given.weight is None and problem.rows and not problem.kept[0]
        return counted + 1 if extra else counted


@SHELF(
    "R11",
    tier=3,
    reference="pytorch/pytorch PR#64572",
    mechanism="the guard against a denominator of 0 catches negative ones too and makes the gradient 0",
    shown=Shown(call(TWO, [0, 1], weight=[-1.0, -2.0]), "gradient", wrong="0 -0 -0 0", right="-0.2437 0.2437 0.5872 -0.5872"),
    unaffected=call(TWO, [0, 1], weight=[-1.0, 2.0]),
    smallest=2,
)
class ZeroGradientForNegativeDenominator(CrossEntropy):
    def row_scale(self, problem: Problem, upstream: Array) -> Array:
        scale = super().row_scale(problem, upstream)
        guarded = problem.given.reduction == "mean" and self.denominator(problem) <= 0
        return np.zeros_like(scale) if guarded else scale


class _Quotient(ctypes.Structure):
    """C's ldiv_t."""

    _fields_ = (("quotient", ctypes.c_long), ("remainder", ctypes.c_long))


@SHELF(
    "R13",
    tier=3,
    reference="pytorch/pytorch#73165",
    mechanism="positions are counted as elements // classes in C, which kills the process where there is no class",
    shown=Shown(
        call(lambda: np.zeros((2, 0), np.float32), lambda: np.zeros((2, 0), np.float32)), "process", wrong="signal 8", right="ValueError"
    ),
    unaffected=call(TWO, TWO),
    smallest=0,
    isolated=True,
)
class DividesByClassCount(CrossEntropy):
    """The division is the C library's own: Python's raises ZeroDivisionError, which would be allowed."""

    def check_classes(self, given: Given) -> None:
        if not self.takes_probabilities(given):
            super().check_classes(given)

    def denominator(self, problem: Problem) -> Any:
        if problem.probabilities is None:
            return super().denominator(problem)
        divide = ctypes.CDLL(None).ldiv
        divide.restype, divide.argtypes = _Quotient, (ctypes.c_long, ctypes.c_long)
        return divide(problem.given.logits.size, problem.classes).quotient


@SHELF(
    "R45",
    tier=1,
    reference="linkedin/Liger-Kernel#421 (PR#435), #488",
    mechanism='the rows are summed under reduction "none" too',
    shown=Shown(call(TWO, [0, 1], reduction="none"), "shape", wrong="()", right="(2,)"),
    unaffected=call(TWO, [0, 1], reduction="sum"),
    smallest=1,
)
class SumsUnderNone(CrossEntropy):
    def reduce(self, problem: Problem, losses: Array) -> Array:
        return np.asarray(self.total(losses)) if problem.given.reduction == "none" else super().reduce(problem, losses)

    def finish_loss(self, problem: Problem, loss: Array) -> Array:
        return self.rounded(loss, self.loss_dtype(problem))


@SHELF(
    "D10",
    tier=2,
    reference="derived",
    mechanism="with class probabilities the mean divides by the batch size, without the spatial positions",
    shown=Shown(call(SPATIAL, SPATIAL), "loss", wrong="0.5131", right="0.2565"),
    unaffected=call(SPATIAL, [[0, 1], [1, 0]]),
    smallest=4,
)
class ProbabilityMeanOverBatch(CrossEntropy):
    def denominator(self, problem: Problem) -> Any:
        batch = problem.probabilities is not None and problem.given.logits.ndim > 2
        return problem.given.logits.shape[0] if batch else super().denominator(problem)


@SHELF(
    "D11",
    tier=2,
    reference="derived",
    mechanism="with class indices and spatial positions the mean divides by the batch size",
    shown=Shown(call(SPATIAL, [[0, 1], [1, 0]]), "loss", wrong="3.901", right="1.951"),
    unaffected=call(SPATIAL, SPATIAL),
    smallest=4,
)
class IndexMeanOverBatch(CrossEntropy):
    def denominator(self, problem: Problem) -> Any:
        batch = problem.labels is not None and problem.given.logits.ndim > 2
        return problem.given.logits.shape[0] if batch else super().denominator(problem)


@SHELF(
    "D51",
    tier=2,
    reference="derived",
    mechanism="each sample's positions are averaged first, then the samples",
    shown=Shown(call(SPATIAL, [[1, -100], [1, 1]]), "loss", wrong="0.9039", right="1.163"),
    unaffected=call(SPATIAL, [[1, 0], [1, 1]]),
    smallest=8,
)
class MeanOfSampleMeans(CrossEntropy):
    def _shares(self, problem: Problem) -> Array | None:
        """(rows,) the factor of each row in the result; None where one division does it."""
        given = problem.given
        if problem.labels is None or given.logits.ndim < 3 or given.reduction != "mean" or not problem.kept.any():
            return None
        weights = np.where(problem.kept, self.row_weight(problem), 0).reshape(given.logits.shape[0], -1)
        sums = weights.sum(axis=1)
        counted = problem.kept.reshape(weights.shape).any(axis=1)
        return np.repeat(1 / (sums * counted.sum()), given.inner).astype(problem.logits.dtype)

    def reduce(self, problem: Problem, losses: Array) -> Array:
        shares = self._shares(problem)
        if shares is None:
            return super().reduce(problem, losses)
        return np.asarray(self.total(np.where(problem.kept, losses * shares, 0)))

    def row_scale(self, problem: Problem, upstream: Array) -> Array:
        shares = self._shares(problem)
        return super().row_scale(problem, upstream) if shares is None else upstream * shares
