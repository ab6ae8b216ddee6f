from __future__ import annotations

import pytest

from xentfuzz.recipes.budget import Budget, SpentError
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe


def recipe(seed: int) -> Recipe:
    return Recipe("softmax", "float32", (2, 2), {"logits": ArrayRecipe(seed=seed)})


@pytest.fixture
def asked() -> list[int]:
    return []


@pytest.fixture
def odd(asked):
    """Fails for odd seeds, and notes what it was asked."""

    def still_fails(one: Recipe) -> bool:
        asked.append(one.arrays["logits"].seed)
        return asked[-1] % 2 == 1

    return still_fails


def test_each_recipe_is_judged_once(odd, asked):
    budget = Budget(odd, 10, 60)
    assert [budget(recipe(1)), budget(recipe(2)), budget(recipe(1))] == [True, False, True]
    assert asked == [1, 2]


def test_once_spent_only_known_verdicts_are_given(odd, asked):
    budget = Budget(odd, 1, 60)
    assert budget(recipe(1))
    with pytest.raises(SpentError):
        budget(recipe(3))
    assert budget(recipe(1))
    assert asked == [1]


def test_time_limits_too(odd, asked):
    with pytest.raises(SpentError):
        Budget(odd, 10, 0)(recipe(1))
    assert asked == []


def test_a_verdict_from_elsewhere_costs_nothing(odd, asked):
    budget = Budget(odd, 0, 60)
    budget.known(recipe(2), fails=True)
    assert budget(recipe(2))
    assert asked == []


def test_a_part_leaves_the_rest(odd, asked):
    budget = Budget(odd, 4, 60)
    part = budget.part(0.5)
    assert [part(recipe(seed)) for seed in (1, 3, 1)] == [True, True, True]
    with pytest.raises(SpentError):
        part(recipe(5))
    assert [budget(recipe(seed)) for seed in (5, 7)] == [True, True]
    with pytest.raises(SpentError):
        budget(recipe(9))
    assert asked == [1, 3, 5, 7]
