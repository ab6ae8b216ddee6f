"""Bugs of memory and state: what a call leaves behind, overwrites, or finds."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.gallery.autograd import SavedGradient
from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("STATE")

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
WEIGHT = [1.0, 2.0, 4.0]
# Seven rows, so that no small temporary of the call takes the block of memory that their losses come from.
SEVEN = [*TWO, *TWO, *TWO, [1.0, 1.0, 1.0]]
FOUR_KEPT = [0, -100, 1, -100, 2, -100, 0]
ALL_KEPT = [0, 1, 1, 2, 2, 0, 0]


@SHELF(
    "R94",
    tier=4,
    reference="linkedin/Liger-Kernel PR#1338",
    mechanism="ignored rows return before they write their loss, and the buffer of losses is not zeroed",
    shown=Shown(call(SEVEN, FOUR_KEPT, reduction="sum"), "loss", wrong="3007", right="6.608", dirty=1000.0),
    unaffected=call(SEVEN, ALL_KEPT, reduction="sum"),
    smallest=1,
)
class LeavesIgnoredLossesUnwritten(CrossEntropy):
    def row_losses(self, problem: Problem) -> Array:
        # Before anything else, as the launcher of a kernel does it: whatever memory comes is what the last call left.
        losses = np.empty(problem.rows, problem.logits.dtype)
        losses[problem.kept] = super().row_losses(problem)[problem.kept]
        return losses


@SHELF(
    "R95",
    tier=4,
    reference="pytorch/pytorch#20406",
    mechanism="the unwritten losses of ignored rows are multiplied by 0, which leaves NaN and infinity",
    shown=Shown(
        call(SEVEN, FOUR_KEPT, reduction="none"),
        "loss",
        wrong="3.17 nan 2.17 nan 0.1698 nan 1.099",
        right="3.17 0 2.17 0 0.1698 0 1.099",
        dirty=float("nan"),
    ),
    unaffected=call(SEVEN, ALL_KEPT, reduction="none"),
    smallest=1,
)
class MultipliesUnwrittenLosses(LeavesIgnoredLossesUnwritten):
    def row_losses(self, problem: Problem) -> Array:
        losses = super().row_losses(problem)
        losses[~problem.kept] *= 0
        return losses


@SHELF(
    "R96",
    tier=4,
    reference="unslothai/unsloth#5002; linkedin/Liger-Kernel PR#262",
    mechanism="backward writes the gradient over the logits",
    shown=Shown(call(TWO, [0, 1]), "inputs", wrong="changed: logits", right="changed: nothing"),
    unaffected=call(TWO, [0, 1]),
    smallest=1,
)
class OverwritesTheLogits(CrossEntropy):
    def finish_gradient(self, problem: Problem, gradient: Array) -> Array:
        finished = super().finish_gradient(problem, gradient)
        problem.given.logits[...] = finished
        return finished


@SHELF(
    "D58",
    tier=3,
    reference="derived",
    mechanism="backward scales the gradient that forward saved, and a double backward takes it for a constant: its share is missing",
    shown=Shown(call([[0.0, 1.0]], [0]), "second derivative", wrong="0 0", right="NotImplementedError"),
    unaffected=call([[0.0, 1.0]], [0]),
    smallest=2,
    declares={"array": "torch", "backward": None, "supports": {"targets": ("index",), "target_dtypes": ("int64",)}},
)
class SavesAConstant(SavedGradient):
    once = False


class _Scales(SavedGradient):
    """Multiplies the gradient that the forward call has saved, in place."""

    def scaled(self, saved: Any, upstream: Any) -> Any:
        return saved.mul_(upstream)


SHELF(
    "R98",
    tier=4,
    reference="Dao-AILab/quack PR#209",
    mechanism="backward scales the saved gradient in place: a second backward of one forward is scaled twice",
    shown=Shown(
        call(TWO, [0, 1], grad_output=3.0),
        "second backward",
        wrong="-4.311 0.5139 3.797 2.994 -4.095 1.101",
        right="-1.437 0.1713 1.266 0.9979 -1.365 0.3671",
    ),
    unaffected=call(TWO, [0, 1]),
    smallest=2,
    declares={"array": "torch", "backward": None, "supports": {"targets": ("index",), "target_dtypes": ("int64",)}},
)(_Scales)


@SHELF(
    "R99",
    tier=4,
    reference="ROCm/composable_kernel PR#323; karpathy/llm.c PR#847; NervanaSystems/neon#171; JustVugg/colibri PR#1098",
    mechanism="all threads use one scratch buffer",
    shown=Shown(
        call(lambda: np.arange(512.0 * 256).reshape(512, 256) % 7, lambda: np.arange(512) % 256), "threads", wrong="different", right="same"
    ),
    unaffected=call(TWO, [0, 1]),
    smallest=1024,
)
class SharesScratch(CrossEntropy):
    def __init__(self) -> None:
        self.scratch: dict[tuple[tuple[int, ...], str], Array] = {}

    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        key = problem.logits.shape, problem.logits.dtype.name
        scratch = self.scratch.setdefault(key, np.empty_like(problem.logits))
        np.subtract(problem.logits, largest, out=scratch)
        np.exp(scratch, out=scratch)
        sums = self.total(scratch)[:, None]
        # Between two calls nothing is kept, so that only concurrent ones can meet here.
        scratch.fill(0)
        return sums


@SHELF(
    "D26",
    tier=1,
    reference="derived",
    mechanism="the denominator is kept from the first call with the same shape and reduction",
    shown=Shown(call(TWO, [0, 1]), "loss", wrong="5.577", right="2.789", before=(call(TWO, [0, -100]),)),
    unaffected=call(TWO, [0, 1]),
    smallest=4,
)
class KeepsTheDenominator(CrossEntropy):
    def __init__(self) -> None:
        self.kept_from_before: dict[tuple[tuple[int, ...], str], Any] = {}

    def denominator(self, problem: Problem) -> Any:
        key = problem.given.logits.shape, problem.given.reduction
        return self.kept_from_before.setdefault(key, super().denominator(problem))


@SHELF(
    "D29",
    tier=4,
    reference="derived",
    mechanism="the caller's weights are divided by their mean in place, which a weighted mean does not show",
    shown=Shown(call(TWO, [0, 1], weight=WEIGHT), "inputs", wrong="changed: weight", right="changed: nothing"),
    unaffected=call(TWO, [0, 1], weight=WEIGHT),
    smallest=2,
)
class NormalisesTheCallersWeights(CrossEntropy):
    def divisor(self, problem: Problem) -> Any:
        divisor = super().divisor(problem)
        weight = problem.given.weight
        if weight is not None and problem.labels is not None and weight.mean():
            weight /= weight.mean()
        return divisor
