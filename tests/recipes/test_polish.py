from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from xentfuzz.recipes.budget import Budget
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.limits import family_of
from xentfuzz.recipes.polish import polish
from xentfuzz.recipes.recipe import ALL_ROWS, TARGET_CLASS, ArrayRecipe, Edit, Recipe

BUSY = Recipe(
    "cross_entropy",
    "float32",
    (6, 9, 5),
    {
        "logits": ArrayRecipe("confident_wrong", 321, 100.0, layout="fortran"),
        "target": ArrayRecipe("uniform", 321, ignored="some", layout="sliced_rows"),
        "weight": ArrayRecipe("decades", 321, layout="read_only"),
        "grad_output": ArrayRecipe("uneven", 321, layout="negative_stride"),
    },
    {"reduction": "none", "ignore_index": 3, "label_smoothing": 0.1},
)


def polished(recipe: Recipe, still_fails: Callable[[Recipe], bool], evaluations: int = 1000) -> Recipe:
    assert still_fails(recipe)
    return polish(recipe, Budget(still_fails, evaluations, 60))


def test_what_plays_no_part_goes():
    assert polished(BUSY, lambda _: True) == Recipe(
        "cross_entropy",
        "float32",
        (1,),
        {
            "logits": ArrayRecipe(elements=("0.0",)),
            "target": ArrayRecipe("first_class", elements=("0",)),
            "grad_output": ArrayRecipe("ones", elements=("1.0",)),
        },
    )


@pytest.mark.parametrize("name", ["reduction", "ignore_index", "label_smoothing"])
def test_an_option_that_matters_stays(name):
    small = polished(BUSY, lambda recipe: name in recipe.options)
    assert small.options == {name: BUSY.options[name]}


@pytest.mark.parametrize("name", list(BUSY.arrays))
def test_a_layout_that_matters_stays(name):
    layout = BUSY.arrays[name].layout
    small = polished(BUSY, lambda recipe: name in recipe.arrays and recipe.arrays[name].layout == layout)
    assert {array.layout for key, array in small.arrays.items() if key != name} == {"contiguous"}


def test_a_dimension_that_matters_is_as_short_as_it_can_be():
    recipe = Recipe("cross_entropy", "float32", (3, 1000), {"logits": ArrayRecipe(), "target": ArrayRecipe("uniform")})
    assert polished(recipe, lambda recipe: max(recipe.shape) > 700).shape == (701,)


def test_a_threshold_is_found_in_few_steps():
    asked = set()
    recipe = Recipe("softmax", "float32", (1, 4096), {"logits": ArrayRecipe()}, {"axis": 1})
    small = polished(recipe, lambda recipe: asked.add(recipe.one_line()) or recipe.shape[1] > 2048)
    assert small.shape == (1, 2049)
    assert len(asked) < 120


def test_the_row_that_matters_is_found_among_others():
    def fails(recipe: Recipe) -> bool:
        values = expand(recipe).values
        return bool(((values["logits"] > 1.5) & (values["logits"] < 2)).any())

    recipe = Recipe("cross_entropy", "float32", (4, 9), {"logits": ArrayRecipe(seed=3), "target": ArrayRecipe("uniform", seed=3)})
    small = polished(recipe, fails)
    assert small.shape == (1,)
    assert len(small.arrays["logits"].elements[0]) <= 4


def test_an_ignored_row_stays_ignored_when_classes_go():
    def fails(recipe: Recipe) -> bool:
        case = expand(recipe)
        return bool((case.values["target"] == case.options["ignore_index"]).any())

    small = polished(BUSY, fails)
    assert small.shape == (2, 1)
    assert sorted(expand(small).values["target"].tolist()) == [-100, 0]


def test_labels_move_down_with_their_classes():
    def fails(recipe: Recipe) -> bool:
        values = expand(recipe).values
        rows = values["logits"].reshape(-1, values["logits"].shape[-1])
        return bool((rows[np.arange(len(rows)), values["target"].reshape(-1)] == 7).any())

    logits = ArrayRecipe(elements=("1", "2", "3", "7", "5"))
    small = polished(
        Recipe("cross_entropy", "float32", (1, 5), {"logits": logits, "target": ArrayRecipe("uniform", elements=("3",))}), fails
    )
    assert small.shape == (1,)
    assert small.arrays["logits"].elements in (("7",), ("7.0",))


def test_edits_that_play_no_part_go():
    edits = (Edit(ALL_ROWS, 0, 3, "-inf"), Edit(1, TARGET_CLASS, 1, "nan"))
    recipe = Recipe("cross_entropy", "float32", (3, 50), {"logits": ArrayRecipe(edits=edits), "target": ArrayRecipe("uniform")})
    small = polished(recipe, lambda recipe: bool(np.isnan(expand(recipe).values["logits"]).any()))
    assert small.arrays["logits"].elements == ("nan",)


def test_large_cases_stay_recipes():
    recipe = Recipe("cross_entropy", "float32", (300, 4), {"logits": ArrayRecipe("late", 5), "target": ArrayRecipe("cycle", 5)})
    small = polished(recipe, lambda recipe: np.prod(recipe.shape) > 100)
    assert small.arrays["logits"] == ArrayRecipe()
    assert 100 < np.prod(small.shape) < 105


def test_the_smallest_case_is_of_the_same_family_and_defined():
    families = set()

    def fails(recipe: Recipe) -> bool:
        families.add(family_of(expand(recipe)))
        return "weight" in recipe.arrays

    polished(BUSY, fails)
    assert families == {"ordinary"}


def test_what_has_been_found_is_kept_when_the_budget_is_spent():
    small = polished(BUSY, lambda recipe: max(recipe.shape) > 4, evaluations=12)
    assert small != BUSY
    assert max(small.shape) > 4


def test_nothing_long_is_written_out():
    """The budget ends while positions are taken out of 600 numbers."""
    recipe = Recipe("cross_entropy", "float32", (2, 300), {"logits": ArrayRecipe(), "target": ArrayRecipe("first_class")})
    assert polished(recipe, lambda recipe: recipe.shape == (2, 300)).arrays["logits"].elements is None


def test_softmax_keeps_its_axis_valid():
    recipe = Recipe("softmax", "float32", (3, 4, 5), {"logits": ArrayRecipe(), "grad_output": ArrayRecipe("uneven")}, {"axis": -3})
    small = polished(recipe, lambda recipe: recipe.options["axis"] == -3)
    assert small.shape == (1, 1, 1)
