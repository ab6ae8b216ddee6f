"""A regime: one named way to make the values of an array, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xentfuzz.dtypes import FloatFormat
from xentfuzz.errors import require_known
from xentfuzz.recipes.words import Array, Words, below, normal, signed


@dataclass(frozen=True)
class Grid:
    """The cells to fill: `rows` times `classes` of them (one class for arrays without a class axis), in the format `format`.

    labels: (rows,) int64, the target class of each row; None where the operation has no target or there is no class.
    scale: the regime's parameter.
    """

    words: Words
    rows: int
    classes: int
    format: FloatFormat
    scale: float = 1.0
    labels: Array | None = None

    def cells(self, lane: int = 0) -> Array:
        return self.words.cells(self.rows, self.classes, lane)

    def normal(self, lane: int = 0) -> Array:
        return normal(self.cells(lane))

    def signed(self, lane: int = 0) -> Array:
        return signed(self.cells(lane))

    def row_words(self, lane: int = 0) -> Array:
        """(rows, 1) words."""
        return self.words.rows(self.rows, lane)[:, None]

    @cached_property
    def marked(self) -> Array:
        """(rows,) int64: the class that a regime singles out; the target's class where there is a target."""
        if self.labels is not None:
            return self.labels
        return below(self.words.rows(self.rows, lane=61), self.classes)

    def is_class(self, classes: Array) -> Array:
        """(rows, classes) bool: whether the cell is in the class given for its row."""
        mask: Array = np.arange(self.classes) == classes[:, None]
        return mask


@dataclass(frozen=True)
class Regime:
    """make: fills a grid with float64 numbers, which are then rounded once to the array's format.

    weight: how often it is drawn. scales: values of its parameter, simplest first; those with scale * reach above a quarter of the
    largest number that may be drawn are left out. ends: it fills the format to its ends. family: "special" for what the ordinary family
    must not contain, "" for what is drawn only by name.
    """

    make: Callable[[Grid], Array]
    weight: int = 4
    scales: tuple[float, ...] = (1.0,)
    reach: float = 1.0
    family: str = "ordinary"
    ends: bool = False

    def scales_for(self, largest: float) -> tuple[float, ...]:
        """The scales that fit a format whose largest number is `largest`."""
        return tuple(scale for scale in self.scales if scale * self.reach <= largest / 4) or (1.0,)

    def fits(self, largest: float) -> bool:
        """Whether it has a scale with which its numbers stay within `largest`, which is less than the format's largest number."""
        return not self.ends and any(scale * self.reach <= largest / 4 for scale in self.scales)


def regime_named(what: str, name: str, table: Mapping[str, Regime]) -> Regime:
    """The regime of that name in a table. Raises UnknownName."""
    require_known(f"regime of {what}", [name], table)
    return table[name]
