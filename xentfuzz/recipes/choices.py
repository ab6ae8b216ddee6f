"""Choices: what a recipe is drawn by. The same drawing is driven by Hypothesis or by a stream of words; the first option is simplest."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Generic, Protocol, TypeVar

import numpy as np

from xentfuzz.recipes.words import Array, raw_words

T = TypeVar("T")


class Choices(Protocol):
    """Where decisions come from."""

    def index(self, count: int) -> int:
        """One of 0, ..., count - 1, uniformly; smaller is simpler.

        A choice among one counts as a choice: Hypothesis takes fewer choices for simpler, whatever they are.
        """


class Table(Generic[T]):
    """Options with integer weights, simplest first."""

    def __init__(self, options: Iterable[tuple[T, int]]) -> None:
        kept = [(option, weight) for option, weight in options if weight > 0]
        self.options = [option for option, _ in kept]
        self._ends = list(accumulate(weight for _, weight in kept))
        if not kept:
            raise ValueError("a table of choices needs an option with a positive weight")

    def pick(self, choices: Choices) -> T:
        return self.options[bisect_right(self._ends, choices.index(self._ends[-1]))]


def pick(choices: Choices, options: Sequence[T]) -> T:
    """One of the options, uniformly."""
    return options[choices.index(len(options))]


def chance(choices: Choices, percent: int) -> bool:
    """True in so many percent of the cases; False is simpler."""
    return choices.index(100) >= 100 - percent


class StratifiedChoices:
    """The choices of one case of a corpus: made from words, spread evenly over each block of cases.

    Among the BLOCK cases of a block, the k-th choice of a case falls once into each of BLOCK equal parts of its range (a Latin hypercube;
    McKay, Beckman and Conover 1979): an option of weight 2 % is met in every block and not left to luck.
    """

    def __init__(self, fractions: Sequence[int]) -> None:
        self._fractions = fractions
        self.record: list[int] = []

    def index(self, count: int) -> int:
        chosen = (self._fractions[len(self.record)] * count) >> 64
        self.record.append(chosen)
        return chosen


BLOCK = 64
WIDTH = 96  # more choices than a recipe takes, two dozen elements drawn one by one included


def stratified(seed: int, block: int) -> list[StratifiedChoices]:
    """The choices of the cases of one block: for each of WIDTH choices a permutation of the BLOCK parts, and a place within each part."""
    words = raw_words(seed, f"corpus {block}", 2 * BLOCK * WIDTH).reshape(2, WIDTH, BLOCK)
    parts = np.argsort(words[0], axis=1, kind="stable").astype(np.uint64)
    fractions: Array = (parts << np.uint64(58)) | (words[1] >> np.uint64(6))
    return [StratifiedChoices(column.tolist()) for column in fractions.T]
