"""Hypothesis strategies for recipes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from hypothesis import strategies as st

from xentfuzz.recipes.composition import draw_recipe
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.space import Space

# Hypothesis prefers integers that occur as literals in loaded modules and, below a thousand or so, small ones. So far from all of them its
# draws are uniform and depend on its own seed alone; it still shrinks towards the smallest.
ORIGIN = int("7378697629483820646")


@cache
def _integers(count: int) -> st.SearchStrategy[int]:
    return st.integers(ORIGIN, ORIGIN + count - 1)


class HypothesisChoices:
    """Choices that Hypothesis makes, shrinks and steers."""

    def __init__(self, draw: Callable[[st.SearchStrategy[int]], int]) -> None:
        self._draw = draw
        self.record: list[int] = []

    def index(self, count: int) -> int:
        chosen = self._draw(_integers(count)) - ORIGIN
        self.record.append(chosen)
        return chosen


@st.composite
def recorded_recipes(draw: st.DrawFn, space: Space) -> tuple[Recipe, list[int]]:
    """Recipes with the choices that they were drawn by."""
    choices = HypothesisChoices(draw)
    return draw_recipe(choices, space), choices.record


def recipes(space: Space) -> st.SearchStrategy[Recipe]:
    """Recipes from the space. They shrink towards two rows of two classes, ordinary numbers, default options and contiguous arrays."""
    return recorded_recipes(space).map(lambda drawn: drawn[0])
