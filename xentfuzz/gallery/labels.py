"""Bugs of class indices: their range, their dtype, and what kind of target they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem, times
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("LBL")

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]


@SHELF(
    "R18",
    tier=2,
    reference="pytorch/pytorch#108148 (fix PR#109574); also #43840, #39769, #117532, #49882, #135546",
    mechanism="a row whose label is out of range contributes 0 and is counted; nothing is raised",
    shown=Shown(call(TWO, [0, 7]), "loss", wrong="1.585", right="IndexError"),
    unaffected=call(TWO, [0, -100]),
    smallest=1,
)
class IgnoresWhatIsOutOfRange(CrossEntropy):
    def ignored(self, given: Given, labels: Array) -> Array:
        mask: Array = super().ignored(given, labels) | (labels < 0) | (labels >= given.classes)
        return mask

    def check_labels(self, given: Given, labels: Array) -> None:
        pass

    def denominator(self, problem: Problem) -> Any:
        if problem.raw_labels is None or problem.given.weight is not None:
            return super().denominator(problem)
        return int((problem.raw_labels != problem.given.ignore_index).sum())


@SHELF(
    "R87",
    tier=2,
    reference="pytorch/pytorch#12670",
    mechanism='under reduction "none" a negative label is not refused and indexes from the end',
    shown=Shown(call(TWO, [0, -2], reduction="none"), "loss", wrong="3.17 2.408", right="IndexError"),
    unaffected=call(TWO, [0, -2], reduction="sum"),
    smallest=1,
)
class IndexesFromTheEnd(CrossEntropy):
    def check_labels(self, given: Given, labels: Array) -> None:
        accepted = (given.reduction == "none") & (labels < 0)
        super().check_labels(given, labels[~accepted])


@SHELF(
    "R88",
    tier=4,
    reference="pytorch/pytorch PR#86086 (author's note)",
    mechanism="ignore_index is cast to the target's dtype: -100 becomes 156 for uint8 labels",
    shown=Shown(
        call(lambda: np.eye(2, 157, 156), [156, 0], target_dtype="uint8", reduction="none"), "loss", wrong="0 5.056", right="4.067 5.056"
    ),
    unaffected=call(lambda: np.eye(2, 157, 156), [156, 0], reduction="none"),
    smallest=157,
)
class WrapsIgnoreIndex(CrossEntropy):
    def ignored(self, given: Given, labels: Array) -> Array:
        wrapped = np.array(given.ignore_index).astype(given.target.dtype).astype(np.int64)
        mask: Array = labels == wrapped
        return mask


@SHELF(
    "R90",
    tier=1,
    reference="mlverse/torch PR#681",
    mechanism="labels are taken to start at 1",
    shown=Shown(call(TWO, [0, 2], reduction="none"), "loss", wrong="3.17 2.408", right="3.17 1.408"),
    unaffected=call(TWO, [0, 0], reduction="none"),
    smallest=2,
)
class CountsFromOne(CrossEntropy):
    def safe_labels(self, labels: Array, ignored: Array) -> Array:
        shifted: Array = np.maximum(super().safe_labels(labels, ignored) - 1, 0)
        return shifted


@SHELF(
    "R91",
    tier=1,
    reference="tsotchke/eshkol#552",
    mechanism="a target whose last axis is as long as the classes is taken for probabilities, whatever its rank and dtype",
    shown=Shown(call([[0.0, 1.0], [2.0, 0.0]], [0, 1], reduction="none"), "loss", wrong="0.3133 2.127", right="1.313 2.127"),
    unaffected=call(TWO, [0, 1], reduction="none"),
    smallest=4,
)
class TellsTargetsBySize(CrossEntropy):
    def takes_probabilities(self, given: Given) -> bool:
        by_size = given.target.ndim > 0 and given.target.shape[-1] == given.classes
        return by_size or super().takes_probabilities(given)

    def probability_rows(self, given: Given) -> Array:
        if super().takes_probabilities(given):
            return super().probability_rows(given)
        rows = given.target.reshape(-1, given.classes).astype(self.arithmetic(given))
        return np.broadcast_to(rows, (self.logit_rows(given).shape[0], given.classes))


class _FlatIndex(CrossEntropy):
    """Gathers and scatters by an index into the flattened rows; `flat_labels` says which."""

    def flat_labels(self, problem: Problem) -> Array:
        raise NotImplementedError

    def hard_losses(self, problem: Problem, surprisals: Array) -> Array:
        if problem.labels is None:
            return super().hard_losses(problem, surprisals)
        # One element behind the last row, so that reading it is defined.
        memory = np.append(surprisals.reshape(-1), surprisals.dtype.type(0))
        return times(self.hard_share(problem) * self.row_weight(problem), memory[self.flat_labels(problem)])

    def hard_coefficients(self, problem: Problem) -> Array:
        if problem.labels is None:
            return super().hard_coefficients(problem)
        memory = np.zeros(problem.logits.size + 1, problem.logits.dtype)
        memory[self.flat_labels(problem)] = self.hard_share(problem) * self.row_weight(problem)
        return memory[:-1].reshape(problem.logits.shape)


@SHELF(
    "D32",
    tier=3,
    reference="derived",
    mechanism="row * C + label is computed in the target's dtype and wraps",
    shown=Shown(
        call(lambda: np.arange(300.0).reshape(3, 100) % 7, [0, 1, 70], target_dtype="uint8", reduction="none"),
        "loss",
        wrong="9.097 6.1 9.097",
        right="9.097 6.1 5.119",
    ),
    unaffected=call(lambda: np.arange(300.0).reshape(3, 100) % 7, [0, 1, 70], reduction="none"),
    smallest=129,
)
class WrapsTheFlatIndex(_FlatIndex):
    def flat_labels(self, problem: Problem) -> Array:
        assert problem.labels is not None
        rows = np.arange(problem.rows) * problem.classes
        dtype = problem.given.target.dtype
        return (rows + problem.labels).astype(np.uint8 if dtype == np.bool_ else dtype).astype(np.int64)


@SHELF(
    "D36",
    tier=2,
    reference="derived",
    mechanism="a label of C is not refused and reads the first class of the next row",
    shown=Shown(call(TWO, [3, 1], reduction="none"), "loss", wrong="0.4076 2.408", right="IndexError"),
    unaffected=call(TWO, [2, 4], reduction="none"),
    smallest=1,
)
class ReadsTheNextRow(_FlatIndex):
    def check_labels(self, given: Given, labels: Array) -> None:
        super().check_labels(given, labels[labels != given.classes])

    def flat_labels(self, problem: Problem) -> Array:
        assert problem.labels is not None
        return np.arange(problem.rows) * problem.classes + problem.labels

    def row_weight(self, problem: Problem) -> Array:
        assert problem.labels is not None
        row_weight: Array = problem.weight[np.minimum(problem.labels, problem.classes - 1)]
        return row_weight


@SHELF(
    "D37",
    tier=2,
    reference="derived",
    mechanism="a label beyond the last class counts as the last class",
    shown=Shown(call(TWO, [0, 7], reduction="none"), "loss", wrong="3.17 1.408", right="IndexError"),
    unaffected=call(TWO, [0, -7], reduction="none"),
    smallest=1,
)
class ClampsLabels(CrossEntropy):
    def check_labels(self, given: Given, labels: Array) -> None:
        super().check_labels(given, np.where(labels >= given.classes, 0, labels))

    def label_rows(self, given: Given) -> Array:
        labels = super().label_rows(given)
        return np.where(labels == given.ignore_index, labels, np.minimum(labels, given.classes - 1))
