"""The regimes of targets: class indices, which rows are ignored, and class probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xentfuzz.recipes.regime import Grid, Regime
from xentfuzz.recipes.words import Array, Words, below, signed, uniform

# For each unsigned or signed integer dtype the largest label; a label also has to be a class.
LARGEST_LABEL = {
    "int64": 2**63 - 1,
    "int32": 2**31 - 1,
    "int16": 2**15 - 1,
    "int8": 127,
    "uint8": 255,
    "uint16": 2**16 - 1,
    "uint32": 2**32 - 1,
    "uint64": 2**64 - 1,
    "bool": 1,
}
SMALLEST_LABEL = {name: 0 if name[0] in "ub" else -largest - 1 for name, largest in LARGEST_LABEL.items()}


# ---- class indices: (rows, 1) int64


def uniform_labels(grid: Grid) -> Array:
    return below(grid.row_words(), grid.classes)


def same_label(grid: Grid) -> Array:
    return np.repeat(below(grid.words.rows(1), grid.classes)[:, None], grid.rows, axis=0)


def first_class(grid: Grid) -> Array:
    return np.zeros((grid.rows, 1), np.int64)


def last_class(grid: Grid) -> Array:
    return np.full((grid.rows, 1), grid.classes - 1)


def tail_classes(grid: Grid) -> Array:
    """Within the last eight classes, which a vectorised loop may leave to its remainder."""
    return grid.classes - 1 - below(grid.row_words(), min(grid.classes, 8))


def cycle(grid: Grid) -> Array:
    return np.arange(grid.rows)[:, None] % grid.classes


INDEX = {
    "uniform": Regime(uniform_labels, weight=10),
    "same": Regime(same_label, weight=2),
    "first_class": Regime(first_class, weight=1),
    "last_class": Regime(last_class, weight=2),
    "tail_classes": Regime(tail_classes, weight=2),
    "cycle": Regime(cycle, weight=2),
    # Settled once the logits are known; until then uniform.
    "argmax": Regime(uniform_labels, weight=2),
    "argmin": Regime(uniform_labels, weight=2),
    # The label that ignore_index becomes when it is cast to the target's dtype.
    "wrapped": Regime(uniform_labels, family=""),
}
SETTLED_BY_LOGITS = ("argmax", "argmin")


# ---- ignored rows: a (rows,) mask; never all rows, except by name


def _is_row(words: Array, row: Array | int) -> Array:
    return np.asarray(np.arange(len(words)) == row)


def some_rows(words: Array) -> Array:
    """About three in ten, at least one ignored and one kept where there are two rows."""
    mask = below(words, 10) < 3
    return (mask | one_row(words)) & ~one_kept(words)


def many_rows(words: Array) -> Array:
    mask = below(words, 10) < 8
    return (mask | one_row(words)) & ~one_kept(words)


def first_row(words: Array) -> Array:
    return _is_row(words, 0)


def last_row(words: Array) -> Array:
    return _is_row(words, len(words) - 1)


def one_row(words: Array) -> Array:
    return _is_row(words, below(words[:1], len(words)))


def one_kept(words: Array) -> Array:
    return _is_row(words, (below(words[:1], len(words)) + len(words) // 2) % len(words))


def all_but_one(words: Array) -> Array:
    return ~one_kept(words)


IGNORED = {"some": some_rows, "first": first_row, "last": last_row, "many": many_rows, "all_but_one": all_but_one}


def ignored_mask(pattern: str, rows: int, words: Words) -> Array:
    """(rows,) bool. With a single row only the pattern "all" ignores it."""
    if pattern == "all":
        return np.ones(rows, bool)
    if pattern == "none" or rows < 2:
        return np.zeros(rows, bool)
    return IGNORED[pattern](words.rows(rows, lane=7))


# ---- class probabilities: (rows, classes)


def one_hot(grid: Grid) -> Array:
    return grid.is_class(grid.marked).astype(np.float64)


def _shares(grid: Grid) -> Array:
    """Positive integers of very different sizes, the marked class's among the largest."""
    sizes = below(grid.cells(), 1024) + 1
    return np.asarray(sizes * sizes + np.where(grid.is_class(grid.marked), 1 << 20, 0))


def normalised(grid: Grid) -> Array:
    shares = _shares(grid)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def smoothed_one_hot(grid: Grid) -> Array:
    return 0.125 / grid.classes + 0.875 * one_hot(grid)


def unnormalised(grid: Grid) -> Array:
    return 2.0 * uniform(grid.cells())


def sparse(grid: Grid) -> Array:
    """Half of the entries exactly zero, the rest not normalised."""
    return np.where(below(grid.cells(lane=1), 2), uniform(grid.cells()), 0.0)


def signed_zeros(grid: Grid) -> Array:
    """Normalised but for half of the classes, which have zeros of both signs."""
    zeros = np.where(below(grid.cells(lane=2), 2), 0.0, -0.0)
    return np.where(below(grid.cells(lane=1), 2), normalised(grid), zeros)


def zero_rows(grid: Grid) -> Array:
    return np.where(below(grid.row_words(lane=1), 3) == 0, 0.0, normalised(grid))


def negative(grid: Grid) -> Array:
    return signed(grid.cells())


PROBABILITIES = {
    "one_hot": Regime(one_hot, weight=4),
    "normalised": Regime(normalised, weight=6),
    "unnormalised": Regime(unnormalised, weight=4),
    "smoothed_one_hot": Regime(smoothed_one_hot, weight=1),
    "sparse": Regime(sparse, weight=3),
    "signed_zeros": Regime(signed_zeros, weight=2),
    "zero_rows": Regime(zero_rows, weight=2),
    "negative": Regime(negative, weight=3),
}


@dataclass(frozen=True)
class LabelRules:
    """What labels may be: in [0, limit), never a value of `taken` in a kept row; ignore_index in an ignored one."""

    limit: int
    ignore_index: int | None
    taken: frozenset[int]

    def kept(self, labels: Array) -> Array:
        """The labels, moved on cyclically from the values that are taken."""
        labels = labels % self.limit
        for _ in self.taken:
            clash = np.isin(labels, list(self.taken))
            labels = np.where(clash, (labels + 1) % self.limit, labels)
        return labels


def fits(value: int, dtype: str) -> bool:
    return SMALLEST_LABEL[dtype] <= value <= LARGEST_LABEL[dtype]


def wrapped_label(value: int, dtype: str) -> int:
    """What `value` becomes in an integer dtype that cannot hold it."""
    smallest, largest = SMALLEST_LABEL[dtype], LARGEST_LABEL[dtype]
    return (value - smallest) % (largest - smallest + 1) + smallest


def label_rules(classes: int, dtype: str, ignore_index: int | None, smoothing: float) -> LabelRules:
    """With smoothing, a label that ignore_index wraps to is undefined territory: torch drops half of the loss there."""
    limit = max(min(classes, LARGEST_LABEL[dtype] + 1), 1)
    taken = set()
    if ignore_index is not None:
        taken.add(ignore_index)
        if smoothing and not fits(ignore_index, dtype):
            taken.add(wrapped_label(ignore_index, dtype))
    inside = frozenset(value for value in taken if 0 <= value < limit)
    return LabelRules(limit, ignore_index, inside if len(inside) < limit else frozenset())
