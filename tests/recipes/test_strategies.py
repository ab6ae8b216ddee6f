from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import Phase

from xentfuzz.operations import operation_names
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.limits import family_of
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.recipes.space import FAMILIES
from xentfuzz.recipes.strategies import ORIGIN, recipes


def test_the_simplest_recipe(whole_space):
    arrays = {"logits": ArrayRecipe(), "target": ArrayRecipe("uniform"), "grad_output": ArrayRecipe("ones")}
    assert hypothesis.find(recipes(whole_space()), lambda _: True) == Recipe("cross_entropy", "float32", (2, 2), arrays)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("operation", operation_names())
def test_what_hypothesis_draws_is_defined(whole_space, operation, family):
    @hypothesis.settings(max_examples=60, phases=[Phase.generate], suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(recipes(whole_space(operation, "float16", family)))
    def every(recipe: Recipe) -> None:
        assert family_of(expand(recipe)) in (family, "ordinary")

    every()


def test_recipes_shrink_to_what_matters(whole_space):
    found = hypothesis.find(recipes(whole_space()), lambda recipe: "weight" in recipe.arrays and len(recipe.shape) == 3)
    assert found.shape == (1, 2, 2) or np.prod(found.shape) <= 8
    assert found.options == {}
    assert {array.layout for array in found.arrays.values()} == {"contiguous"}


def test_draws_lie_far_from_every_literal_that_hypothesis_prefers():
    """Hypothesis' constants come from the modules of whoever runs it: a draw near one would not depend on the seed alone."""
    assert ORIGIN > 2**62
    assert ORIGIN + 2**20 < 2**63
