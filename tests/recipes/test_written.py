from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.recipes.expand import case_hashes, expand
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.recipes.written import _chunks, _moved, fewer_positions, written_out

RECIPE = Recipe(
    "cross_entropy",
    "float16",
    (3, 4, 2),
    {
        "logits": ArrayRecipe("decades", 1),
        "target": ArrayRecipe("cycle", 1, ignored="first"),
        "weight": ArrayRecipe("decades", 1),
        "grad_output": ArrayRecipe("uneven", 1, layout="fortran"),
    },
    {"reduction": "none"},
)


@pytest.mark.parametrize("target", ["cycle", "normalised"])
def test_writing_out_does_not_change_a_case(target):
    recipe = Recipe(RECIPE.operation, RECIPE.dtype, RECIPE.shape, {**RECIPE.arrays, "target": ArrayRecipe(target, 1)}, RECIPE.options)
    assert case_hashes(expand(written_out(recipe))) == case_hashes(expand(recipe))


def test_positions_go_from_every_array_that_has_them():
    values = expand(RECIPE).values
    found = {recipe.shape: expand(recipe).values for recipe in fewer_positions(written_out(RECIPE))}
    assert found.keys() == {(2, 4, 2), (3, 2, 2), (3, 3, 2), (3, 4, 1)}
    # The last of each length is the one without the last position.
    np.testing.assert_array_equal(found[2, 4, 2]["logits"], values["logits"][:2])
    np.testing.assert_array_equal(found[2, 4, 2]["grad_output"], values["grad_output"][:2])
    np.testing.assert_array_equal(found[3, 3, 2]["weight"], values["weight"][:3])
    np.testing.assert_array_equal(found[3, 3, 2]["target"], np.where(values["target"] == 3, 2, values["target"]))
    np.testing.assert_array_equal(found[3, 4, 1]["target"], values["target"][:, :1])


def test_a_dimension_of_one_position_goes():
    recipe = Recipe("cross_entropy", "float32", (1, 3), {"logits": ArrayRecipe(), "target": ArrayRecipe("uniform")})
    assert (3,) in {fewer.shape for fewer in fewer_positions(written_out(recipe))}


@pytest.mark.parametrize(
    ("gone", "labels"),
    [
        (slice(0, 1), ("0", "0", "1", "2", "-100")),
        (slice(1, 2), ("0", "1", "1", "2", "-100")),
        (slice(3, 4), ("0", "1", "2", "2", "-100")),
        (slice(2, 4), ("0", "1", "1", "1", "-100")),
    ],
)
def test_labels_follow_their_classes(gone, labels):
    assert _moved(("0", "1", "2", "3", "-100"), gone, 4, -100) == labels


def test_an_ignored_label_stays_even_where_it_is_a_class():
    assert _moved(("0", "3"), slice(0, 1), 4, 3) == ("0", "3")


def test_chunks_go_from_all_places_to_single_ones():
    assert list(_chunks(3)) == [(0, 3), (0, 1), (1, 2), (2, 3)]
    assert list(_chunks(0)) == []
    assert min(stop - start for start, stop in _chunks(2048)) == 128
