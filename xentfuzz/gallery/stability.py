"""Bugs of numerical stability: finite logits, wrong numbers or none."""

from __future__ import annotations

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("STAB")

NEAR = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
# Classes that one pass of the vectorised loop handles.
LANES = 16


@SHELF(
    "R39",
    tier=3,
    reference="scikit-learn/scikit-learn#24315; keras-team/keras-core PR#599 (comment); awslabs/sockeye PR#376",
    mechanism="probabilities are clipped to [1e-7, 1] before the logarithm",
    shown=Shown(call([[0.0, 20.0]], [0]), "loss", wrong="16.12", right="20"),
    unaffected=call(NEAR, [0, 1]),
    smallest=2,
)
class ClipsProbabilities(CrossEntropy):
    def surprisals(self, problem: Problem) -> Array:
        surprisals: Array = -np.log(np.clip(self.softmax(problem), 1e-7, 1))
        return surprisals


@SHELF(
    "R46",
    tier=3,
    reference="clab/dynet#218; Theano/Theano#3162",
    mechanism="backward goes from -1 / p_y through the softmax's Jacobian: 0 times infinity where p_y underflows",
    shown=Shown(call([[0.0, 120.0]], [0]), "gradient", wrong="nan nan", right="-1 1"),
    unaffected=call(NEAR, [0, 1]),
    smallest=2,
)
class GoesThroughTheJacobian(CrossEntropy):
    def row_gradient(self, problem: Problem) -> Array:
        softmax, coefficients = self.softmax(problem), self.coefficients(problem)
        slope = np.where(coefficients == 0, 0, -coefficients / softmax)
        gradient: Array = softmax * (slope - self.total(slope * softmax)[:, None])
        return gradient


@SHELF(
    "R48",
    tier=3,
    reference="cornell-brg/hb-pytorch#61; NVIDIA/FasterTransformer#43; tenstorrent/tt-metal#12661, PR#10001",
    mechanism="the largest logit is not subtracted",
    shown=Shown(call([[0.0, 89.0]], [1]), "loss", wrong="inf", right="0"),
    unaffected=call(NEAR, [0, 1]),
    smallest=1,
)
class SubtractsNothing(CrossEntropy):
    def row_max(self, x: Array) -> Array:
        return np.zeros_like(super().row_max(x))


@SHELF(
    "R52",
    tier=3,
    reference="pytorch/pytorch#94043 (PR#95091), #725, #795; apple/coremltools PR#2763, PR#2727; deeplearning4j/deeplearning4j#785",
    mechanism="log(softmax(x)) as a composition: the logarithm of 0 for an unlikely class",
    shown=Shown(call([[0.0, 120.0]], [0]), "loss", wrong="inf", right="120"),
    unaffected=call(NEAR, [0, 1]),
    smallest=2,
)
class LogarithmOfTheSoftmax(CrossEntropy):
    def surprisals(self, problem: Problem) -> Array:
        surprisals: Array = -np.log(self.softmax(problem))
        return surprisals


@SHELF(
    "R53",
    tier=3,
    reference="NVIDIA/Megatron-LM#7464 (PR#7466, second defect)",
    mechanism="only the uniform part takes the logarithm of the stored softmax",
    shown=Shown(call([[0.0, 120.0]], [1], label_smoothing=0.3), "loss", wrong="inf", right="18"),
    unaffected=call([[0.0, 120.0]], [0]),
    smallest=2,
)
class SmoothsTheLogarithmOfTheSoftmax(CrossEntropy):
    def smooth_losses(self, problem: Problem, surprisals: Array) -> Array:
        del surprisals
        surprisals_of_softmax: Array = -np.log(self.softmax(problem))
        return super().smooth_losses(problem, surprisals_of_softmax)


@SHELF(
    "R55",
    tier=3,
    reference="pytorch/pytorch PR#62897 (regression of PR#60371)",
    mechanism="for 16-bit logits the vectorised part of the row sums exp(x) unshifted; the remaining classes are shifted",
    shown=Shown(call(lambda: np.where(np.arange(16) == 3, 96.0, 0.0)[None], [3], dtype="bfloat16"), "loss", wrong="inf", right="0"),
    unaffected=call(lambda: np.where(np.arange(15) == 3, 96.0, 0.0)[None], [3], dtype="bfloat16"),
    smallest=LANES,
)
class VectorBodyIsNotShifted(CrossEntropy):
    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        body = problem.classes - problem.classes % LANES
        if problem.given.storage.itemsize != 2 or not body:
            return super().exp_sum(problem, largest)
        unshifted = self.total(self.exp(problem.logits[:, :body]))[:, None] * self.exp(-largest)
        return unshifted + self.total(self.exp(problem.logits[:, body:] - largest))[:, None]


@SHELF(
    "D23",
    tier=3,
    reference="derived",
    mechanism="row losses are clipped at 100, as binary cross entropies are",
    shown=Shown(call([[0.0, 120.0]], [0]), "loss", wrong="100", right="120"),
    unaffected=call([[0.0, 80.0]], [0]),
    smallest=2,
)
class ClipsTheLoss(CrossEntropy):
    def row_losses(self, problem: Problem) -> Array:
        return np.minimum(super().row_losses(problem), 100)


@SHELF(
    "D24",
    tier=3,
    reference="derived",
    mechanism="logits are clipped to [-80, 80]",
    shown=Shown(call([[0.0, 120.0]], [0]), "loss", wrong="80", right="120"),
    unaffected=call([[-70.0, 70.0]], [0]),
    smallest=2,
)
class ClipsLogits(CrossEntropy):
    def logit_rows(self, given: Given) -> Array:
        return np.clip(super().logit_rows(given), -80, 80)


@SHELF(
    "D25",
    tier=3,
    reference="derived",
    mechanism="backward clips probabilities to [1e-6, 1 - 1e-6]",
    shown=Shown(call([[0.0, 20.0]], [1]), "gradient", wrong="1e-06 -1.013e-06", right="2.061e-09 0"),
    unaffected=call(NEAR, [0, 1]),
    smallest=1,
)
class ClipsProbabilitiesBackward(CrossEntropy):
    def row_gradient(self, problem: Problem) -> Array:
        coefficients = self.coefficients(problem)
        softmax = np.clip(self.softmax(problem), 1e-6, 1 - 1e-6)
        return softmax * self.coefficient_sum(problem, coefficients)[:, None] - coefficients


@SHELF(
    "D41",
    tier=3,
    reference="derived",
    mechanism="the sum of exponentials is 1 plus those of logits below the maximum: tied maxima count once",
    shown=Shown(call([[1.0, 1.0, 0.0]], [0]), "loss", wrong="0.3133", right="0.862"),
    unaffected=call(NEAR, [0, 1]),
    smallest=2,
)
class CountsTiedMaximaOnce(CrossEntropy):
    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        shifted = problem.logits - largest
        return 1 + self.total(np.where(shifted < 0, self.exp(shifted), 0))[:, None]
