"""Bugs of shapes: which axis holds the classes, which position a label belongs to, and the smallest shapes."""

from __future__ import annotations

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("SHAPE")

# (1, 2, 2) and (1, 3, 2): one sample, two positions.
SQUARE = [[[0.0, 1.0], [3.0, 0.0]]]
OBLONG = [[[0.0, 1.0], [3.0, 0.0], [1.0, 2.0]]]


@SHELF(
    "R101",
    tier=3,
    reference="pytorch/pytorch#3240",
    mechanism="the only axis of shape (1,) is taken for the batch: the sum over no classes is 0, and its logarithm -inf",
    shown=Shown(call([0.5], 0), "loss", wrong="inf", right="0"),
    unaffected=call([[0.5]], [0]),
    smallest=1,
)
class SumsOverNoClass(CrossEntropy):
    def surprisals(self, problem: Problem) -> Array:
        surprisals = super().surprisals(problem)
        return np.full_like(surprisals, np.inf) if problem.given.logits.shape == (1,) else surprisals


@SHELF(
    "R103",
    tier=3,
    reference="pytorch/pytorch#15870, PR#31491, PR#64572",
    mechanism="an empty batch is refused",
    shown=Shown(call(lambda: np.zeros((0, 3)), lambda: np.zeros(0, np.int64), reduction="sum"), "loss", wrong="ValueError", right="0"),
    unaffected=call([[0.0, 1.0, 3.0]], [0]),
    smallest=0,
)
class RefusesNoRows(CrossEntropy):
    def check(self, given: Given) -> None:
        super().check(given)
        if 0 in given.positions:
            raise ValueError(f"logits: shape {given.logits.shape} has no rows")


@SHELF(
    "R104",
    tier=3,
    reference="PaddlePaddle/Paddle PR#27311; JuliaGPU/CUDA.jl#599; FluxML/Flux.jl#1425",
    mechanism="the classes are sought on the last axis, and found there wherever it is as long as axis 1",
    shown=Shown(call(SQUARE, [[0, 1]], reduction="none"), "loss", wrong="1.313 3.049", right="3.049 1.313"),
    unaffected=call(OBLONG, [[0, 1]], reduction="none"),
    smallest=4,
)
class TakesTheLastAxis(CrossEntropy):
    def class_axis(self, given: Given) -> int:
        shape = given.logits.shape
        return len(shape) - 1 if len(shape) > 2 and shape[-1] == given.classes else super().class_axis(given)


@SHELF(
    "R105",
    tier=2,
    reference="flagos-ai/FlagGems PR#1394",
    mechanism="the spatial axes of the target are flattened in another order than those of the logits",
    shown=Shown(call(lambda: np.arange(12.0).reshape(1, 3, 2, 2) % 5, [[[0, 1], [2, 0]]]), "loss", wrong="1.552", right="2.802"),
    unaffected=call(lambda: np.arange(12.0).reshape(1, 3, 4, 1) % 5, [[[0], [1], [2], [0]]]),
    smallest=8,
)
class SwapsHeightAndWidth(CrossEntropy):
    def flat_target(self, given: Given) -> Array:
        return given.target.swapaxes(1, 2).reshape(-1) if given.target.ndim == 3 else super().flat_target(given)
