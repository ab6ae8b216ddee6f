"""Drawing a recipe: one sequence of choices, whatever makes them."""

from __future__ import annotations

from xentfuzz.errors import require_known
from xentfuzz.recipes.choices import Choices
from xentfuzz.recipes.draft import Draft
from xentfuzz.recipes.ordinary import draw_ordinary
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.robust import draw_robust
from xentfuzz.recipes.space import Space
from xentfuzz.recipes.special import draw_special

DRAWN = {"ordinary": draw_ordinary, "special": draw_special, "robust": draw_robust}


def draw_recipe(choices: Choices, space: Space) -> Recipe:
    """A recipe from the space. All choices at 0 give the simplest one. Raises UnknownName for an unknown family."""
    require_known("family", [space.family], DRAWN)
    draft = Draft(choices, space)
    DRAWN[space.family](draft)
    return draft.recipe()
