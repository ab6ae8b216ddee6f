"""Bugs of targets that are class probabilities."""

from __future__ import annotations

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("PROB")

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
EVEN = [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]
UNEVEN = [[1.0, 0.5, 0.0], [0.0, 1.0, 1.0]]


@SHELF(
    "R36",
    tier=1,
    reference="NVIDIA-NeMo/Automodel PR#2428 (review); kvark/meganeura PR#102; tensorflow/tensorflow#60314, #2327",
    mechanism="backward is softmax - t, which is right only where the probabilities (times weights) sum to 1",
    shown=Shown(
        call(TWO, UNEVEN),
        "gradient",
        wrong="-0.479 -0.1929 0.4219 0.3326 -0.455 -0.3776",
        right="-0.4685 -0.1644 0.6328 0.6652 -0.41 -0.2553",
    ),
    unaffected=call(TWO, EVEN),
    smallest=1,
)
class GradientForgetsTheTargetsSum(CrossEntropy):
    def coefficient_sum(self, problem: Problem, coefficients: Array) -> Array:
        if problem.probabilities is None:
            return super().coefficient_sum(problem, coefficients)
        return np.ones(problem.rows, coefficients.dtype)


@SHELF(
    "R37",
    tier=2,
    reference="scikit-learn/scikit-learn#24515 (fix PR#25299), transferred from predictions to targets",
    mechanism="probabilities that do not sum to 1 are divided by their sum",
    shown=Shown(call(TWO, UNEVEN), "loss", wrong="2.372", right="4.035"),
    unaffected=call(TWO, EVEN),
    smallest=2,
)
class NormalisesTheTarget(CrossEntropy):
    def probability_rows(self, given: Given) -> Array:
        rows = super().probability_rows(given)
        sums = rows.sum(axis=1, keepdims=True)
        return rows / np.where(sums == 0, 1, sums)
