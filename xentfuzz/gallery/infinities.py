"""Bugs with infinities and NaN."""

from __future__ import annotations

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("INF")

INF, NAN = float("inf"), float("nan")
TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
# Classes of one block of an online softmax.
BLOCK = 16


def masked_run(start: int) -> Array:
    """(1, 2 * BLOCK) logits, one whole block of them -inf."""
    classes = np.arange(2 * BLOCK)
    return np.where((classes >= start) & (classes < start + BLOCK), -np.inf, classes % 3)[None]


@SHELF(
    "R23",
    tier=3,
    reference="pytorch/pytorch PR#192685, PR#95833",
    mechanism="ignored rows are masked by a product with 0, which leaves NaN and infinity",
    shown=Shown(call([[0.0, 1.0, 3.0], [NAN, 0.0, 1.0]], [0, -100]), "loss", wrong="nan", right="3.17"),
    unaffected=call(TWO, [0, -100]),
    smallest=1,
)
class MasksByAProduct(CrossEntropy):
    def combined(self, problem: Problem, hard: Array, smooth: Array) -> Array:
        combined: Array = (hard + smooth) * problem.kept
        return combined


@SHELF(
    "R33",
    tier=3,
    reference="candle-org/MindAct PR#1633",
    mechanism="the uniform part is added without smoothing too: 0 times an infinite surprisal",
    shown=Shown(call([[0.0, 1.0, -INF]], [0]), "loss", wrong="nan", right="1.313"),
    unaffected=call(TWO, [0, 1], label_smoothing=0.3),
    smallest=2,
)
class AddsSmoothingOfZero(CrossEntropy):
    def smooth_losses(self, problem: Problem, surprisals: Array) -> Array:
        uniform: Array = problem.smoothing * (self.total(problem.weight * surprisals) / problem.classes)
        return uniform


@SHELF(
    "R67",
    tier=3,
    reference="Dao-AILab/flash-attention#1930; flagos-ai/FlagGems PR#330; gabrieldemarmiesse/torch-mojo-backend PR#319",
    mechanism="the online softmax subtracts a running maximum that is still -inf after a leading block of -inf",
    shown=Shown(call(lambda: masked_run(0), [BLOCK]), "loss", wrong="nan", right="3.065"),
    unaffected=call(lambda: masked_run(BLOCK), [0]),
    smallest=BLOCK + 1,
)
class LeadingBlockOfMinusInfinity(CrossEntropy):
    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        running, total = np.full_like(largest, -np.inf), np.zeros_like(largest)
        for start in range(0, problem.classes, BLOCK):
            block = problem.logits[:, start : start + BLOCK]
            raised = np.maximum(running, self.row_max(block))
            total = total * self.exp(running - raised) + self.total(self.exp(block - raised))[:, None]
            running = raised
        return total


@SHELF(
    "R68",
    tier=3,
    reference="Dao-AILab/quack PR#64",
    mechanism="every block subtracts its own maximum before the blocks are combined: NaN from any block of -inf",
    shown=Shown(call(lambda: masked_run(BLOCK), [0]), "loss", wrong="nan", right="4.035"),
    unaffected=call(TWO, [0, 1]),
    smallest=BLOCK + 1,
)
class AnyBlockOfMinusInfinity(CrossEntropy):
    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        total = np.zeros_like(largest)
        for start in range(0, problem.classes, BLOCK):
            block = problem.logits[:, start : start + BLOCK]
            own = self.row_max(block)
            total = total + self.total(self.exp(block - own))[:, None] * self.exp(own - largest)
        return total


@SHELF(
    "R69",
    tier=3,
    reference="pytorch/pytorch PR#195829 (test note); JustVugg/colibri#369",
    mechanism="comparisons that are false for NaN leave it out of the maximum and of the sum",
    shown=Shown(call([[0.0, NAN, 1.0]], [0]), "loss", wrong="1.313", right="nan"),
    unaffected=call([[0.0, -INF, 1.0]], [0]),
    smallest=2,
)
class SkipsNaN(CrossEntropy):
    def row_max(self, x: Array) -> Array:
        largest: Array = np.fmax.reduce(x, axis=1, keepdims=True, initial=-np.inf)
        return largest

    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        return self.total(np.where(problem.logits > -np.inf, self.exp(problem.logits - largest), 0))[:, None]


@SHELF(
    "R70",
    tier=3,
    reference="tenstorrent/tt-metal#56056",
    mechanism="shifted logits are made finite before exp: rows of -inf, or with NaN or +inf, give finite losses",
    shown=Shown(call([[-INF, -INF, -INF]], [0]), "loss", wrong="1.099", right="nan"),
    unaffected=call([[0.0, -INF, 1.0]], [0]),
    smallest=1,
)
class MakesShiftedLogitsFinite(CrossEntropy):
    def surprisals(self, problem: Problem) -> Array:
        shifted = self._finite(problem)
        surprisals: Array = np.log(self.total(self.exp(shifted))[:, None]) - shifted
        return surprisals

    def softmax(self, problem: Problem) -> Array:
        exponentials = self.exp(self._finite(problem))
        return exponentials / self.total(exponentials)[:, None]

    def _finite(self, problem: Problem) -> Array:
        finite: Array = np.nan_to_num(problem.logits - self.row_max(problem.logits), nan=0.0, neginf=-1e4, posinf=0.0)
        return finite


@SHELF(
    "D57",
    tier=3,
    reference="pytorch/pytorch#161150",
    mechanism="a row with infinities of both signs is taken for one without any information: all classes are equally likely",
    shown=Shown(call([[INF, -INF, 0.0]], [0]), "loss", wrong="1.099", right="nan"),
    unaffected=call([[0.0, -INF, 1.0], [0.0, 1.0, 3.0]], [0, 1]),
    smallest=2,
)
class LevelsOppositeInfinities(CrossEntropy):
    def logit_rows(self, given: Given) -> Array:
        rows = super().logit_rows(given)
        both = np.logical_and(np.isposinf(rows).any(axis=1), np.isneginf(rows).any(axis=1))
        return np.where(both[:, None], rows.dtype.type(0), rows)


@SHELF(
    "D52",
    tier=3,
    reference="derived",
    mechanism="a maximum by comparisons, which NaN loses, finds a row of nothing but -inf and NaN fully masked: infinite loss, gradient 0",
    shown=Shown(call([[-INF, NAN, -INF]], [0]), "loss", wrong="inf", right="nan"),
    unaffected=call([[0.0, NAN, -INF], [0.0, 1.0, -INF]], [0, 1], reduction="none"),
    smallest=1,
)
class TakesNaNForMasked(CrossEntropy):
    def _masked(self, problem: Problem) -> Array:
        masked: Array = problem.kept & ~(problem.logits > -np.inf).any(axis=1)
        return masked

    def row_losses(self, problem: Problem) -> Array:
        return np.where(self._masked(problem), np.inf, super().row_losses(problem)).astype(problem.logits.dtype)

    def row_gradient(self, problem: Problem) -> Array:
        return np.where(self._masked(problem)[:, None], 0, super().row_gradient(problem))


@SHELF(
    "D22",
    tier=3,
    reference="derived",
    mechanism="finite-math: infinities among the logits are replaced by the largest finite numbers",
    shown=Shown(call([[0.0, 1.0, -INF]], [2]), "loss", wrong="3.403e+38", right="inf"),
    unaffected=call([[0.0, 1.0, -INF]], [0]),
    smallest=1,
)
class ReplacesInfinities(CrossEntropy):
    def logit_rows(self, given: Given) -> Array:
        rows = super().logit_rows(given)
        largest = 65504.0 if given.storage == np.float16 else np.finfo(rows.dtype).max
        return np.clip(rows, -largest, largest)
