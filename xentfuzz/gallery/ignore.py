"""Bugs of ignore_index: which rows count, and what is read for those that don't."""

from __future__ import annotations

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem, times
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("IGN")

TWO = [[0.0, 1.0], [2.0, 0.0]]
# The class count is padded to a multiple of this many, as a kernel pads to its block.
PADDING = 16


@SHELF(
    "R16",
    tier=2,
    reference="chainer/chainer#2715",
    mechanism="-100 is ignored whatever ignore_index says; other ignored labels count as a class, 0 where they are none",
    shown=Shown(call(TWO, [0, 1], ignore_index=1), "loss", wrong="1.72", right="1.313"),
    unaffected=call(TWO, [0, -100]),
    smallest=2,
)
class IgnoresTheDefaultOnly(CrossEntropy):
    def ignored(self, given: Given, labels: Array) -> Array:
        del given
        mask: Array = labels == -100
        return mask

    def label_rows(self, given: Given) -> Array:
        labels = super().label_rows(given)
        outside = (labels == given.ignore_index) & ((labels < 0) | (labels >= given.classes)) & (labels != -100)
        return np.where(outside, 0, labels)


@SHELF(
    "R19",
    tier=2,
    reference="pytorch/pytorch#15508 (fix PR#17328)",
    mechanism='under reduction "none" the bounds are checked before ignore_index: a legal label of 255 raises',
    shown=Shown(call(TWO, [0, 255], ignore_index=255, reduction="none"), "loss", wrong="IndexError", right="1.313 0"),
    unaffected=call(TWO, [0, 255], ignore_index=255),
    smallest=1,
)
class ChecksBoundsBeforeIgnoring(CrossEntropy):
    def check_labels(self, given: Given, labels: Array) -> None:
        super().check_labels(given, labels)
        if given.reduction == "none":
            self._refuse(given, labels, labels >= given.classes)


@SHELF(
    "R20",
    tier=1,
    reference="DeepLink-org/DIOPI PR#1161",
    mechanism="backward takes a negative ignore_index for none: ignored rows get the gradient of class 0",
    shown=Shown(call(TWO, [0, -100]), "gradient", wrong="-0.7311 0.7311 -0.1192 0.1192", right="-0.7311 0.7311 0 0"),
    unaffected=call(TWO, [0, 1], ignore_index=1),
    smallest=2,
)
class BackwardKeepsNegativeIgnoreIndex(CrossEntropy):
    def masked(self, problem: Problem, gradient: Array) -> Array:
        return gradient if problem.given.ignore_index < 0 else super().masked(problem, gradient)


@SHELF(
    "R21",
    tier=2,
    reference="chainer/chainer#5127",
    mechanism="ignored labels are made safe by max(label, 0), which leaves those beyond the last class",
    shown=Shown(call(TWO, [0, 2], ignore_index=2), "loss", wrong="IndexError", right="1.313"),
    unaffected=call(TWO, [0, -5], ignore_index=-5),
    smallest=1,
)
class MakesOnlyNegativeLabelsSafe(CrossEntropy):
    def safe_labels(self, labels: Array, ignored: Array) -> Array:
        del ignored
        return np.maximum(labels, 0)


@SHELF(
    "R22",
    tier=3,
    reference="apple/ml-cross-entropy PR#59",
    mechanism="the label is compared with padded columns too, which hold -inf; the row is masked by a product afterwards",
    shown=Shown(call(TWO, [0, 2], ignore_index=2), "loss", wrong="nan", right="1.313"),
    unaffected=call(TWO, [0, 16], ignore_index=16),
    smallest=1,
)
class ReadsPaddedColumns(CrossEntropy):
    def hard_losses(self, problem: Problem, surprisals: Array) -> Array:
        if problem.raw_labels is None:
            return super().hard_losses(problem, surprisals)
        padding = -problem.classes % PADDING
        columns = np.arange(problem.classes + padding)
        padded = np.pad(surprisals, ((0, 0), (0, padding)), constant_values=np.inf)
        picked = self.total(np.where(columns == problem.raw_labels[:, None], padded, 0))
        return times(self.hard_share(problem) * self.row_weight(problem), picked) * problem.kept

    def combined(self, problem: Problem, hard: Array, smooth: Array) -> Array:
        return hard + np.where(problem.kept, smooth, 0)


@SHELF(
    "D38",
    tier=2,
    reference="derived",
    mechanism="the mask of ignore_index is applied to that class's column of the gradient, not to the rows",
    shown=Shown(call(TWO, [0, 1], ignore_index=1), "gradient", wrong="-0.7311 0 -0.1192 0", right="-0.7311 0.7311 0 0"),
    unaffected=call(TWO, [0, -100]),
    smallest=2,
)
class MasksTheColumn(CrossEntropy):
    def masked(self, problem: Problem, gradient: Array) -> Array:
        column = problem.given.ignore_index
        if problem.labels is None or not 0 <= column < problem.classes:
            return super().masked(problem, gradient)
        return np.where(np.arange(problem.classes) == column, 0, gradient)
