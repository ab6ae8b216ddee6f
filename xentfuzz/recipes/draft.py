"""A recipe that is being drawn: the decisions so far, and the tables that the next ones are drawn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from xentfuzz.dtypes import FORMATS
from xentfuzz.operations import get_operation
from xentfuzz.operations.operation import Operation, Option
from xentfuzz.operations.rows import class_axis
from xentfuzz.recipes.choices import Choices, Table, pick
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.recipes.recipe import UNIT_SCALE, ArrayRecipe, Recipe
from xentfuzz.recipes.regime import Regime
from xentfuzz.recipes.space import Space


@dataclass
class Draft:
    """positions: the shape without the class axis. sizes: of the named axes that the first argument does not have.
    options: every option that has been drawn, defaults included.
    """

    choices: Choices
    space: Space
    classes: int = 2
    positions: tuple[int, ...] = ()
    target: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, ArrayRecipe] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def operation(self) -> Operation:
        return get_operation(self.space.operation)

    @property
    def largest_logit(self) -> float:
        return min(FORMATS[self.space.dtype].max, self.space.largest_logit or np.inf)

    @property
    def limited(self) -> bool:
        """Whether the first argument must stay within less than its format."""
        return self.largest_logit < FORMATS[self.space.dtype].max

    @property
    def rows(self) -> int:
        return prod(self.positions)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first argument."""
        axis = class_axis((*self.positions, self.classes), self.options)
        return (*self.positions[:axis], self.classes, *self.positions[axis:])

    def recipe(self) -> Recipe:
        """The recipe; options at their default are left out."""
        defaults = {option.name: option.default for option in self.operation.options if not option.always}
        options = {name: value for name, value in self.options.items() if name not in defaults or value != defaults[name]}
        return Recipe(self.space.operation, self.space.dtype, self.shape, self.arrays, options, self.sizes)


Boost = Callable[[str], int]


def as_usual(_: str) -> int:
    return 1


def without(*names: str) -> Boost:
    """Leaves out the regimes named."""
    return lambda name: 0 if name in names else 1


def draw_regime(draft: Draft, kind: str, table: dict[str, Regime], boost: Boost = as_usual) -> str:
    """An ordinary regime that the space allows. boost: how many times more often than usual a regime is drawn."""
    allowed = draft.space.regimes.get(kind)
    limited = draft.limited and kind == draft.operation.arguments[0].kind
    options = tuple(
        (name, regime.weight * boost(name))
        for name, regime in table.items()
        if regime.family == "ordinary"
        and (allowed is None or name in allowed)
        and (not limited or name == "ordinary" or regime.fits(draft.largest_logit))
    )
    return _table(options).pick(draft.choices)


def draw_scale(draft: Draft, regime: Regime, preferred: Callable[[float], bool] = lambda _: False, largest: float | None = None) -> float:
    """One of the regime's scales that fit; of the preferred ones where there are any."""
    scales = regime.scales_for(largest or FORMATS[draft.space.dtype].max)
    scale = pick(draft.choices, tuple(filter(preferred, scales)) or scales)
    return UNIT_SCALE if scale == UNIT_SCALE else scale


def draw_array(draft: Draft, kind: str, table: dict[str, Regime], boost: Boost = as_usual) -> ArrayRecipe:
    regime = draw_regime(draft, kind, table, boost)
    largest = draft.largest_logit if kind == draft.operation.arguments[0].kind else None
    return ArrayRecipe(regime, scale=draw_scale(draft, table[regime], largest=largest))


@lru_cache(maxsize=512)
def _table(options: tuple[tuple[str, int], ...]) -> Table[str]:
    return Table(options)


def draw_option(draft: Draft, option: Option) -> Any:
    """A value that the operation and the space both allow: where there are more than three, the first in half of the cases."""
    values = _allowed_values(draft, option)
    if len(values) < 4:
        return pick(draft.choices, values)
    return values[max(draft.choices.index(2 * len(values) - 2) - len(values) + 2, 0)]


def _allowed_values(draft: Draft, option: Option) -> tuple[Any, ...]:
    values = option.values(draft.shape, draft.target) if callable(option.values) else option.values
    allowed = draft.space.options[option.name]
    if allowed is None:
        return values
    both = tuple(value for value in values if value in allowed)
    # Probabilities rule out some values of ignore_index; there, and where no value may be passed, it stays at its default.
    return both or (tuple(allowed) if draft.target == "index" else ()) or (option.default,)


@lru_cache(maxsize=256)
def layouts_for(rank: int, allowed: tuple[str, ...] | None, *, repeats: bool) -> tuple[str, ...]:
    """The names of the layouts that make a difference at a rank; "contiguous" first. repeats: those that repeat values too."""
    return tuple(
        name
        for name, layout in LAYOUTS.items()
        if name == "contiguous"
        or (rank >= layout.minimum_rank and (repeats or not layout.repeats) and (allowed is None or name in allowed))
    )
