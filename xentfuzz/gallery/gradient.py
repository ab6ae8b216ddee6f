"""Bugs that only the gradient has."""

from __future__ import annotations

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("GRAD")

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]


@SHELF(
    "R40",
    tier=1,
    reference="tensorflow/swift-apis PR#42",
    mechanism="the gradient of the mean is not divided by W",
    shown=Shown(
        call(TWO, [0, 1]), "gradient", wrong="-0.958 0.1142 0.8438 0.6652 -0.91 0.2447", right="-0.479 0.0571 0.4219 0.3326 -0.455 0.1224"
    ),
    unaffected=call(TWO, [0, 1], reduction="sum"),
    smallest=2,
)
class UndividedGradient(CrossEntropy):
    def row_scale(self, problem: Problem, upstream: Array) -> Array:
        del problem
        return upstream


@SHELF(
    "R41",
    tier=1,
    reference="paiml/aprender PR#2182",
    mechanism="the gradient of the sum is divided by the number of rows",
    shown=Shown(
        call(TWO, [0, 1], reduction="sum"),
        "gradient",
        wrong="-0.479 0.0571 0.4219 0.3326 -0.455 0.1224",
        right="-0.958 0.1142 0.8438 0.6652 -0.91 0.2447",
    ),
    unaffected=call(TWO, [0, 1]),
    smallest=4,
)
class DividedGradientOfTheSum(CrossEntropy):
    def row_scale(self, problem: Problem, upstream: Array) -> Array:
        scale = super().row_scale(problem, upstream)
        return scale / scale.dtype.type(max(problem.rows, 1)) if problem.given.reduction == "sum" else scale


@SHELF(
    "R43",
    tier=2,
    reference="pytorch/pytorch PR#94226, kulinseth/pytorch PR#289",
    mechanism="backward takes the upstream gradient for 1",
    shown=Shown(
        call(TWO, [0, 1], grad_output=3.0),
        "gradient",
        wrong="-0.479 0.0571 0.4219 0.3326 -0.455 0.1224",
        right="-1.437 0.1713 1.266 0.9979 -1.365 0.3671",
    ),
    unaffected=call(TWO, [0, 1]),
    smallest=2,
)
class ForgetsTheUpstreamGradient(CrossEntropy):
    def upstream(self, problem: Problem, grad_output: Array) -> Array:
        return np.ones_like(super().upstream(problem, grad_output))


@SHELF(
    "D56",
    tier=2,
    reference="derived",
    mechanism="an upstream gradient of one element is broadcast to all rows instead of being refused",
    shown=Shown(
        call(TWO, [0, 1], grad_output=2.0, reduction="none"),
        "gradient",
        wrong="-1.916 0.2284 1.688 1.33 -1.82 0.4895",
        right="ValueError",
    ),
    unaffected=call(TWO, [0, 1], grad_output=[2.0, 3.0], reduction="none"),
    smallest=2,
)
class BroadcastsTheUpstreamGradient(CrossEntropy):
    def upstream(self, problem: Problem, grad_output: Array) -> Array:
        return super().upstream(problem, np.broadcast_to(grad_output, (problem.rows,)) if grad_output.size == 1 else grad_output)


@SHELF(
    "D42",
    tier=3,
    reference="derived",
    mechanism="the target's class is found by its logit's value: every class with that very logit counts",
    shown=Shown(call([[1.0, 1.0, 0.0]], [0]), "gradient", wrong="-0.1554 -0.1554 0.3107", right="-0.5777 0.4223 0.1554"),
    unaffected=call(TWO, [0, 1]),
    smallest=2,
)
class FindsTheTargetByValue(CrossEntropy):
    def hard_coefficients(self, problem: Problem) -> Array:
        if problem.labels is None:
            return super().hard_coefficients(problem)
        target_logit = np.take_along_axis(problem.logits, problem.labels[:, None], axis=1)
        share = (self.hard_share(problem) * self.row_weight(problem))[:, None]
        return np.where(problem.logits == target_logit, share, 0)
