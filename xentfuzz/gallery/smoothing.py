"""Bugs of label smoothing: who gets the uniform part, and how much of it."""

from __future__ import annotations

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("SMOOTH")

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
WEIGHT = [1.0, 2.0, 4.0]


@SHELF(
    "R25",
    tier=1,
    reference="pytorch/pytorch#73205",
    mechanism="the uniform part is summed over all rows, the ignored ones included, in loss and gradient",
    shown=Shown(call(TWO, [0, -100], label_smoothing=0.3), "loss", wrong="3.192", right="2.77"),
    unaffected=call(TWO, [0, 1], label_smoothing=0.3),
    smallest=2,
)
class SmoothsIgnoredRows(CrossEntropy):
    def combined(self, problem: Problem, hard: Array, smooth: Array) -> Array:
        return np.where(problem.kept, hard, 0) + smooth

    def hard_coefficients(self, problem: Problem) -> Array:
        return np.where(problem.kept[:, None], super().hard_coefficients(problem), 0)

    def masked(self, problem: Problem, gradient: Array) -> Array:
        return gradient if problem.smoothing else super().masked(problem, gradient)


@SHELF(
    "R26",
    tier=1,
    reference="tinygrad/tinygrad PR#3570",
    mechanism="under mean the uniform part is averaged over all rows, the other part over the kept ones",
    shown=Shown(call(TWO, [0, -100], label_smoothing=0.3), "loss", wrong="2.494", right="2.77"),
    unaffected=call(TWO, [0, -100], label_smoothing=0.3, reduction="sum"),
    smallest=4,
)
class AveragesSmoothingOverAllRows(CrossEntropy):
    """The uniform part is scaled by W / rows, which the common division by W turns into 1 / rows."""

    def smooth_coefficients(self, problem: Problem) -> Array:
        coefficients = super().smooth_coefficients(problem)
        averaged = problem.labels is not None and problem.given.weight is None and problem.given.reduction == "mean" and problem.rows
        return coefficients * (problem.kept.sum() / problem.rows).astype(coefficients.dtype) if averaged else coefficients


@SHELF(
    "R29",
    tier=1,
    reference="fastai/fastai PR#1814",
    mechanism="the target's own share is 1 - a C / (C - 1) instead of 1 - a",
    shown=Shown(call(TWO, [0, 1], label_smoothing=0.3), "loss", wrong="2.02", right="2.439"),
    unaffected=call(TWO, [0, 1]),
    smallest=2,
)
class TakesTooMuchFromTheTarget(CrossEntropy):
    def hard_share(self, problem: Problem) -> float:
        classes = problem.classes
        return 1.0 - problem.smoothing * (classes / (classes - 1) if classes > 1 else 1)


@SHELF(
    "R34",
    tier=2,
    reference="OpenNMT/OpenNMT#570",
    mechanism="the class ignore_index gets no share of the uniform part in any row",
    shown=Shown(call(TWO, [0, 1], label_smoothing=0.3, ignore_index=2), "loss", wrong="2.36", right="2.439"),
    unaffected=call(TWO, [0, 1], label_smoothing=0.3),
    smallest=2,
)
class DropsIgnoredClassFromSmoothing(CrossEntropy):
    def smooth_coefficients(self, problem: Problem) -> Array:
        return np.where(np.arange(problem.classes) == problem.given.ignore_index, 0, super().smooth_coefficients(problem))


@SHELF(
    "D02",
    tier=1,
    reference="derived",
    mechanism="the other classes share a among themselves, a / (C - 1) each, and the target gets 1 - a",
    shown=Shown(call(TWO, [0, 1], label_smoothing=0.3), "loss", wrong="2.264", right="2.439"),
    unaffected=call(TWO, [0, 1]),
    smallest=2,
)
class SharesAmongTheOthers(CrossEntropy):
    def smooth_coefficients(self, problem: Problem) -> Array:
        coefficients = super().smooth_coefficients(problem)
        if problem.labels is None or problem.classes == 1:
            return coefficients
        shared = coefficients * (problem.classes / (problem.classes - 1))
        return np.where(np.arange(problem.classes) == problem.labels[:, None], 0, shared).astype(coefficients.dtype)


@SHELF(
    "D03",
    tier=1,
    reference="derived",
    mechanism="the uniform part leaves the class weights out",
    shown=Shown(call(TWO, [0, 1], weight=WEIGHT, label_smoothing=0.3), "loss", wrong="2.188", right="2.498"),
    unaffected=call(TWO, [0, 1], weight=WEIGHT),
    smallest=2,
)
class SmoothsWithoutWeights(CrossEntropy):
    def smooth_coefficients(self, problem: Problem) -> Array:
        return np.full_like(problem.weight, problem.smoothing / problem.classes)[None, :]


@SHELF(
    "D04",
    tier=1,
    reference="derived",
    mechanism="the weight of the target's class is applied to the whole uniform part",
    shown=Shown(call(TWO, [0, 1], weight=WEIGHT, label_smoothing=0.3), "loss", wrong="2.328", right="2.498"),
    unaffected=call(TWO, TWO, weight=WEIGHT, label_smoothing=0.3),
    smallest=2,
)
class SmoothsWithTheTargetsWeight(CrossEntropy):
    def smooth_coefficients(self, problem: Problem) -> Array:
        if problem.labels is None:
            return super().smooth_coefficients(problem)
        return np.broadcast_to(self.row_weight(problem)[:, None] * (problem.smoothing / problem.classes), problem.logits.shape)


@SHELF(
    "D05",
    tier=1,
    reference="derived",
    mechanism="the gradient of the uniform part multiplies the softmax by a, not by a times the mean weight",
    shown=Shown(
        call(TWO, [0, 1], weight=WEIGHT, label_smoothing=0.3),
        "gradient",
        wrong="-0.2527 -0.0286 0.1479 0.3436 -0.4823 0.005346",
        right="-0.2471 -0.01338 0.2604 0.4323 -0.4703 0.03798",
    ),
    unaffected=call(TWO, [0, 1], weight=WEIGHT),
    smallest=1,
)
class GradientForgetsTheMeanWeight(CrossEntropy):
    def coefficient_sum(self, problem: Problem, coefficients: Array) -> Array:
        if problem.labels is None or not problem.smoothing or problem.given.weight is None:
            return super().coefficient_sum(problem, coefficients)
        return self.hard_share(problem) * self.row_weight(problem) + problem.smoothing


@SHELF(
    "D12",
    tier=2,
    reference="derived",
    mechanism="smoothing is in force for 0 < a < 1 only: a = 1 counts as 0",
    shown=Shown(call(TWO, [0, 1], label_smoothing=1.0), "loss", wrong="2.789", right="1.622"),
    unaffected=call(TWO, [0, 1], label_smoothing=0.5),
    smallest=2,
)
class TakesFullSmoothingForNone(CrossEntropy):
    def smoothing(self, given: Given) -> float:
        return super().smoothing(given) if 0 < given.label_smoothing < 1 else 0.0


@SHELF(
    "D50",
    tier=1,
    reference="derived",
    mechanism="the loss masks ignored rows, the gradient of their uniform part is left",
    shown=Shown(
        call(TWO, [0, -100], label_smoothing=0.3),
        "gradient",
        wrong="-0.758 0.0142 0.7438 0.09957 -0.07299 -0.02658",
        right="-0.758 0.0142 0.7438 0 0 0",
    ),
    unaffected=call(TWO, [0, -100]),
    smallest=2,
)
class GradientSmoothsIgnoredRows(CrossEntropy):
    def hard_coefficients(self, problem: Problem) -> Array:
        return np.where(problem.kept[:, None], super().hard_coefficients(problem), 0)

    def masked(self, problem: Problem, gradient: Array) -> Array:
        return gradient if problem.smoothing else super().masked(problem, gradient)
