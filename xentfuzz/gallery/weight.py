"""Bugs of class weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("WEIGHT")

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
WEIGHT = [1.0, 2.0, 4.0]


@SHELF(
    "R35",
    tier=1,
    reference="PaddlePaddle/Paddle PR#24352 (mechanism partly inferred)",
    mechanism="the logits are multiplied by the weights before the softmax, and the loss is unweighted",
    shown=Shown(call(TWO, [0, 1], weight=WEIGHT), "loss", wrong="8.071", right="2.662"),
    unaffected=call(TWO, [0, 1]),
    smallest=2,
)
class WeighsTheLogits(CrossEntropy):
    def problem(self, given: Given) -> Problem:
        problem = super().problem(given)
        unweighted = replace(given, weight=None)
        return replace(problem, given=unweighted, logits=problem.logits * problem.weight, weight=np.ones_like(problem.weight))


@SHELF(
    "D54",
    tier=2,
    reference="derived",
    mechanism="a weight of one element is broadcast to all classes instead of being refused",
    shown=Shown(call(TWO, [0, 1], weight=[2.0], reduction="sum"), "loss", wrong="11.15", right="ValueError"),
    unaffected=call(TWO, [0, 1], weight=[2.0, 1.0], reduction="sum"),
    smallest=2,
)
class BroadcastsTheWeight(CrossEntropy):
    def problem(self, given: Given) -> Problem:
        if given.weight is not None and given.weight.shape == (1,):
            given = replace(given, weight=np.broadcast_to(given.weight, (given.classes,)))
        return super().problem(given)


@SHELF(
    "D55",
    tier=3,
    reference="derived",
    mechanism="weights that are negative are refused by their sign bit, which -0.0 has too",
    shown=Shown(call(TWO, [0, 1], weight=[-0.0, 1.0, 1.0]), "loss", wrong="ValueError", right="2.408"),
    unaffected=call(TWO, [0, 1], weight=[0.0, -1.0, 1.0]),
    smallest=2,
)
class RefusesNegativeZero(CrossEntropy):
    def check(self, given: Given) -> None:
        super().check(given)
        if given.weight is not None and (np.signbit(given.weight) & (given.weight == 0)).any():
            raise ValueError("weight: a negative one; wanted 0 or more")


@SHELF(
    "D01",
    tier=1,
    reference="derived",
    mechanism="backward forgets the weight of the target's class",
    shown=Shown(
        call(TWO, [0, 1], weight=WEIGHT),
        "gradient",
        wrong="-0.3193 0.03807 0.2813 0.2217 -0.3033 0.08158",
        right="-0.3193 0.03807 0.2813 0.4435 -0.6066 0.1632",
    ),
    unaffected=call(TWO, [0, 1]),
    smallest=2,
)
class UnweightedGradient(CrossEntropy):
    def hard_coefficients(self, problem: Problem) -> Array:
        unweighted = problem if problem.labels is None else replace(problem, weight=np.ones_like(problem.weight))
        return super().hard_coefficients(unweighted)
