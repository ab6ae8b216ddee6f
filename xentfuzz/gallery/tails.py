"""Bugs of loops: what is left over when rows or classes are handled in blocks, and what is carried from block to block."""

from __future__ import annotations

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("TAIL")

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
THREE = [*TWO, [1.0, 2.0, 0.0]]
ROW_BLOCK = 32  # rows of one group of targets (R75)
GROUP = 1024  # classes of one group of lanes (R77)
FIRST_PASS = 512  # classes that the first pass of the maximum has seen (R78)
LANES = 8  # classes of one pass of the unrolled loop (D16)
TILE = 256  # classes of one tile of the online softmax (D17, D18)
GRID_LIMIT = 65535  # blocks of a grid along its second axis (D48)
WORKERS = 64  # threads among which rows are divided (D49)


@SHELF(
    "R75",
    tier=1,
    reference="tenstorrent/tt-metal#53209 (PR#53219)",
    mechanism="row losses go to a scratch buffer in groups of 32, and the sum takes the whole last group with what is left there",
    shown=Shown(call(TWO, [0, 1]), "loss", wrong="3.993", right="2.789", before=(call(THREE, [0, 1, 2]),)),
    unaffected=call(lambda: np.eye(ROW_BLOCK, 3), lambda: np.arange(ROW_BLOCK) % 3),
    smallest=2,
    isolated=True,
)
class SumsTheWholeGroup(CrossEntropy):
    def __init__(self) -> None:
        self.scratch = np.zeros(0)

    def reduce(self, problem: Problem, losses: Array) -> Array:
        if problem.given.reduction == "none":
            return super().reduce(problem, losses)
        padded = problem.rows + -problem.rows % ROW_BLOCK
        if len(self.scratch) < padded:
            self.scratch = np.append(self.scratch, np.zeros(padded - len(self.scratch)))
        self.scratch[: problem.rows] = losses
        return super().reduce(problem, self.scratch[:padded].astype(losses.dtype))


@SHELF(
    "R77",
    tier=3,
    reference="pytorch/pytorch PR#181503 (author's note)",
    mechanism="of more than 1024 classes only the first group's partial sums reach the sum of exponentials",
    shown=Shown(call(lambda: np.zeros((1, 2 * GROUP)), [0]), "loss", wrong="6.931", right="7.625"),
    unaffected=call(lambda: np.zeros((1, GROUP)), [0]),
    smallest=GROUP + 1,
)
class SumsTheFirstGroup(CrossEntropy):
    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        return self.total(self.exp(problem.logits[:, :GROUP] - largest))[:, None]


@SHELF(
    "R78",
    tier=3,
    reference="PaddlePaddle/Paddle PR#21480",
    mechanism="with more than 1000 classes the maximum is read before all threads have contributed to it",
    shown=Shown(call(lambda: np.where(np.arange(1001) == 1000, 200.0, 0.0)[None], [0]), "loss", wrong="inf", right="200"),
    unaffected=call(lambda: np.where(np.arange(1000) == 999, 200.0, 0.0)[None], [0]),
    smallest=1001,
)
class ReadsAnUnfinishedMaximum(CrossEntropy):
    def row_max(self, x: Array) -> Array:
        return super().row_max(x[:, :FIRST_PASS] if x.shape[1] > 1000 else x)


@SHELF(
    "D53",
    tier=3,
    reference="derived",
    mechanism="two rows of an odd number of classes between 513 and 1023 are summed in pairs, and the last class of each has no partner",
    shown=Shown(call(lambda: np.zeros((2, 513)), [0, 0]), "loss", wrong="6.238", right="6.24"),
    unaffected=call(lambda: np.zeros((3, 513)), [0, 0, 0]),
    smallest=2 * 513,
)
class SumsInPairs(CrossEntropy):
    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        in_pairs = problem.rows == 2 and 512 < problem.classes < GROUP
        paired = problem.classes - problem.classes % 2 if in_pairs else problem.classes
        return self.total(self.exp(problem.logits[:, :paired] - largest))[:, None]


class _SkipsRows(CrossEntropy):
    """Leaves the last rows out: their losses and gradients stay 0."""

    def done(self, rows: int) -> int:
        """How many rows are handled."""
        raise NotImplementedError

    def combined(self, problem: Problem, hard: Array, smooth: Array) -> Array:
        losses = super().combined(problem, hard, smooth)
        losses[self.done(problem.rows) :] = 0
        return losses

    def masked(self, problem: Problem, gradient: Array) -> Array:
        masked = super().masked(problem, gradient)
        masked[self.done(problem.rows) :] = 0
        return masked


@SHELF(
    "D14",
    tier=1,
    reference="derived",
    mechanism="two rows at a time, and no remainder: the last of an odd number of rows is lost",
    shown=Shown(call(THREE, [0, 1, 2]), "loss", wrong="1.859", right="2.662"),
    unaffected=call(TWO, [0, 1]),
    smallest=6,
)
class RowsInPairs(_SkipsRows):
    def done(self, rows: int) -> int:
        return rows - rows % 2 if rows > 1 else rows


@SHELF(
    "D16",
    tier=1,
    reference="derived",
    mechanism="backward compares the label with full groups of 8 classes only: those behind them get no -1",
    shown=Shown(
        call(TWO, [0, 1]),
        "gradient",
        wrong="0.02101 0.0571 0.4219 0.3326 0.04502 0.1224",
        right="-0.479 0.0571 0.4219 0.3326 -0.455 0.1224",
    ),
    unaffected=call(lambda: np.eye(2, 9), [0, 7]),
    smallest=1,
)
class NoOneHotInTheTail(CrossEntropy):
    def hard_coefficients(self, problem: Problem) -> Array:
        coefficients = super().hard_coefficients(problem)
        if problem.labels is not None:
            coefficients[:, problem.classes - problem.classes % LANES :] = 0
        return coefficients

    def coefficient_sum(self, problem: Problem, coefficients: Array) -> Array:
        return super().coefficient_sum(problem, self._whole(problem) if problem.labels is not None else coefficients)

    def _whole(self, problem: Problem) -> Array:
        """The coefficients that the tail was left out of."""
        hard = super().hard_coefficients(problem)
        return hard + self.smooth_coefficients(problem) if problem.smoothing else hard


@SHELF(
    "D17",
    tier=3,
    reference="derived",
    mechanism="the online softmax does not rescale its sum when a later block has a larger maximum",
    shown=Shown(call(lambda: np.where(np.arange(2 * TILE) < TILE, 0.0, 3.0)[None], [0]), "loss", wrong="9.238", right="8.594"),
    unaffected=call(lambda: np.where(np.arange(2 * TILE) < TILE, 3.0, 0.0)[None], [0]),
    smallest=TILE + 1,
)
class NeverRescales(CrossEntropy):
    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        running, total = np.full_like(largest, -np.inf), np.zeros_like(largest)
        for start in range(0, problem.classes, TILE):
            block = problem.logits[:, start : start + TILE]
            running = np.maximum(running, self.row_max(block))
            total = total + self.total(self.exp(block - np.where(np.isneginf(running), 0, running)))[:, None]
        return total


@SHELF(
    "D18",
    tier=3,
    reference="derived",
    mechanism="the online softmax updates its maximum after the sum: a late large logit overflows",
    shown=Shown(call(lambda: np.where(np.arange(TILE + 1) == TILE, 120.0, 0.0)[None], [0]), "loss", wrong="nan", right="120"),
    unaffected=call(lambda: np.where(np.arange(TILE + 1) == 0, 120.0, 0.0)[None], [0]),
    smallest=TILE + 1,
)
class RescalesOneBlockLate(CrossEntropy):
    def exp_sum(self, problem: Problem, largest: Array) -> Array:
        running, total = self.row_max(problem.logits[:, :TILE]), np.zeros_like(largest)
        for start in range(0, problem.classes, TILE):
            block = problem.logits[:, start : start + TILE]
            total = total + self.total(self.exp(block - np.where(np.isneginf(running), 0, running)))[:, None]
            raised = np.maximum(running, self.row_max(block))
            total = np.where(np.isneginf(running) & np.isneginf(raised), total, total * self.exp(running - raised))
            running = raised
        return total


@SHELF(
    "D48",
    tier=4,
    reference="derived",
    mechanism="one block of a grid for each row, and a grid has 65535 of them: the rows beyond are skipped",
    shown=Shown(call(lambda: np.zeros((70_000, 2)), lambda: np.zeros(70_000, np.int64)), "loss", wrong="0.6489", right="0.6931"),
    unaffected=call(lambda: np.zeros((65_535, 2)), lambda: np.zeros(65_535, np.int64)),
    smallest=2 * (GRID_LIMIT + 1),
)
class SkipsRowsBeyondTheGrid(_SkipsRows):
    def done(self, rows: int) -> int:
        return min(rows, GRID_LIMIT)


@SHELF(
    "D49",
    tier=3,
    reference="derived",
    mechanism="more than 64 rows are divided among 64 threads, rows // 64 each, and the remainder is dropped",
    shown=Shown(call(lambda: np.zeros((96, 2)), lambda: np.zeros(96, np.int64)), "loss", wrong="0.4621", right="0.6931"),
    unaffected=call(lambda: np.zeros((64, 2)), lambda: np.zeros(64, np.int64)),
    smallest=2 * (WORKERS + 1),
)
class DropsTheRemainder(_SkipsRows):
    def done(self, rows: int) -> int:
        return rows - rows % WORKERS if rows > WORKERS else rows
