"""A corpus: recipes drawn from a seed alone.

Hypothesis does not draw them: the integers that it draws depend on the number literals in whatever modules of the user's own are loaded,
so that the same seed gives other cases in another project. Both go through the same `draw_recipe`.
Through a provider that answers with the corpus's choices it draws the same recipes, at four times the time (0.66 ms, not 0.16),
measured by `tests/bench/drawing.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as counting
from itertools import islice

from xentfuzz.recipes.choices import stratified
from xentfuzz.recipes.composition import draw_recipe
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.space import Space


def draw_corpus(space: Space, seed: int, count: int) -> list[Recipe]:
    """`count` recipes, the same for the same space and seed everywhere; a larger count only adds more at the end."""
    return [recipe for recipe, _ in islice(recorded_corpus(space, seed), count)]


def recorded_corpus(space: Space, seed: int) -> Iterator[tuple[Recipe, list[int]]]:
    """The recipes of a corpus without end, each with the choices that it was drawn by."""
    for block in counting():
        for choices in stratified(seed, block):
            yield draw_recipe(choices, space), choices.record
