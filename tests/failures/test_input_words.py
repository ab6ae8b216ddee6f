"""A recipe and a tiny case can be read without knowing the record's format."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.dtypes import numpy_dtype
from xentfuzz.failures.input_words import array_words, input_words, is_tiny, recipe_words
from xentfuzz.recipes.recipe import ArrayRecipe, Edit, Recipe

LOGITS = ArrayRecipe("ordinary", scale=10.0, layout="fortran", edits=(Edit(0, 1, 2, "-inf"), Edit(-1, 3, 1, "nan")))


def test_only_what_differs_from_the_default_is_named():
    recipe = Recipe("cross_entropy", "float32", (2, 3), {"logits": ArrayRecipe(), "target": ArrayRecipe("index")})
    assert recipe_words(recipe.to_dict()) == "float32 2x3; logits: ordinary; target: index"


def test_layouts_scales_edits_and_options_are_named():
    recipe = Recipe("cross_entropy", "float16", (2, 5), {"logits": LOGITS}, {"reduction": "sum"})
    assert recipe_words(recipe.to_dict()) == (
        "float16 2x5; logits: ordinary, scale 10, -inf at row 0 classes 1 to 2, nan at every row class 3, fortran; reduction='sum'"
    )


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_numbers_are_printed_with_the_digits_of_their_own_format(name):
    array = np.array([[0.1, np.inf], [-1.5, np.nan]]).astype(numpy_dtype(name))
    printed = {"float16": "0.1", "bfloat16": "0.100098", "float32": "0.1", "float64": "0.1"}[name]
    assert array_words({"logits": array}) == [f"logits = [[{printed}, inf], [-1.5, nan]] {name}"]


def test_options_are_left_to_the_recipe_and_large_cases_to_the_record():
    case = {"logits": np.zeros((3, 4), np.float32), "target": np.array(1), "reduction": "sum"}
    recipe = Recipe("softmax", "float32", (3, 4), {"logits": ArrayRecipe()}).to_dict()
    assert input_words(recipe, case)[1:] == [
        "logits = [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]] float32",
        "target = 1 int64",
    ]
    assert not is_tiny({"logits": np.zeros(25)})
    assert input_words(recipe, {"logits": np.zeros(25)})[1:] == []


def _written(values):
    texts = tuple(str(number) for number in values.reshape(-1).tolist())
    recipe = Recipe("cross_entropy", "float32", values.shape, {"logits": ArrayRecipe(elements=texts), "target": ArrayRecipe("cycle")})
    return input_words(recipe.to_dict(), {"logits": values, "target": np.zeros(len(values), np.int64), "reduction": "sum"})


def test_of_a_larger_array_that_is_written_out_the_numbers_that_stand_out_are_told():
    logits = np.zeros((2, 40), np.float32)
    assert _written(logits) == ["float32 2x40; target: cycle", "logits = all 0.0 float32"]
    logits[0, 3], logits[1, 7] = 20, -np.inf
    assert _written(logits)[1] == "logits = 0.0 but for [0, 3] = 20.0, [1, 7] = -inf, float32"
    logits[0, :30] = np.arange(30)
    assert _written(logits)[1].startswith("logits = 0.0 but for [0, 1] = 1.0, [0, 2] = 2.0")
    assert _written(logits)[1].endswith("[0, 8] = 8.0 and 22 others, float32")


def test_how_values_were_drawn_is_told_where_they_are_not_shown():
    recipe = Recipe("softmax", "float16", (2, 5), {"logits": LOGITS}, {"axis": -1}).to_dict()
    assert input_words(recipe, {"logits": np.zeros((2, 5))})[0] == "float16 2x5; logits: fortran; axis=-1"
    assert input_words(recipe, {"logits": np.zeros((9, 9))})[0].startswith("float16 2x5; logits: ordinary, scale 10, -inf at row 0")


def test_the_words_begin_with_the_recipe():
    recipe = Recipe("softmax", "float32", (0,), {"logits": ArrayRecipe()}).to_dict()
    assert input_words(recipe, {"logits": np.zeros(0, np.float32)}) == ["float32 0", "logits = [] float32"]
