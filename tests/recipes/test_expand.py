from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest

from xentfuzz.dtypes import FLOAT_NAMES, FORMATS
from xentfuzz.errors import RecordError, UnknownName
from xentfuzz.recipes.expand import case_hashes, expand, target_kind
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.recipes.log_probs import LOG_PROBS
from xentfuzz.recipes.logits import LOGITS
from xentfuzz.recipes.recipe import ALL_ROWS, TARGET_CLASS, ArrayRecipe, Edit, Recipe, recipe_from
from xentfuzz.recipes.regime import Regime
from xentfuzz.recipes.target import IGNORED, INDEX, PROBABILITIES
from xentfuzz.recipes.upstream import UPSTREAM
from xentfuzz.recipes.weight import WEIGHT

# The bits of every regime, scale, pattern and edit. A change here means that stored recipes no longer rebuild what they recorded.
BITS = {
    "float16": "1f42e0d638d37ee2c5b4d1ccfe17d872c0f337d1c9b968a3c8fb249c02040cea",
    "bfloat16": "a425e2e319c68bdc69ab6d6cddd1347bf22c0d2922487f6b262adcca5c3acd9e",
    "float32": "39e3cb2cab699fb4fe7c4100a6aaa0694042e3827ba4eeb71baeacb470cdcf98",
    "float64": "cb6f50d0b959a0f294fd99182f9a9642cfe25dab3c21c56fb16e89087b81b6f4",
}


def cross_entropy(shape=(3, 5), dtype="float32", options=None, **arrays) -> Recipe:
    given = {"logits": ArrayRecipe(), "target": ArrayRecipe("uniform"), **arrays}
    return Recipe("cross_entropy", dtype, shape, given, options or {})


def scaled(table: Mapping[str, Regime], dtype: str, **fields: Any) -> Iterator[ArrayRecipe]:
    """Each regime of a table, at each of its scales."""
    for name, regime in table.items():
        for scale in regime.scales_for(FORMATS[dtype].max):
            yield ArrayRecipe(name, scale=scale, **fields)


def every_array(dtype: str) -> Iterator[Recipe]:
    """Recipes that use each entry of each table in one format."""
    yield from (cross_entropy((3, 2, 7), dtype, logits=array) for array in scaled(LOGITS, dtype, seed=5))
    yield from (cross_entropy((2, 11), dtype, weight=array) for array in scaled(WEIGHT, dtype, seed=9))
    yield from (cross_entropy((6, 4), dtype, target=array) for array in scaled(PROBABILITIES, dtype, seed=8))
    for array in scaled(LOG_PROBS, dtype, seed=6):
        yield Recipe("nll_loss", dtype, (4, 9), {"log_probs": array, "target": ArrayRecipe("uniform")})
    for name, ignored in product(INDEX, ("none", "all", *IGNORED)):
        yield cross_entropy((6, 4), dtype, target=ArrayRecipe(name, seed=7, ignored=ignored))
    for array in scaled(UPSTREAM, dtype, seed=10):
        yield cross_entropy((13, 2), dtype, {"reduction": "none"}, grad_output=array)
        yield Recipe("softmax", dtype, (3, 4), {"logits": ArrayRecipe(), "grad_output": array}, {"axis": 0})
    for value in ("nan", "inf", "-inf", "max", "-max", "subnormal", "target", "0.1"):
        yield cross_entropy((3, 6), dtype, logits=ArrayRecipe(edits=(Edit(1, 2, 3, value), Edit(ALL_ROWS, TARGET_CLASS, 1, value))))
    for layout in LAYOUTS:
        yield cross_entropy((3, 2, 4), dtype, logits=ArrayRecipe(layout=layout), target=ArrayRecipe("normalised", layout=layout))


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
def test_recipes_rebuild_the_same_bits_everywhere(dtype):
    digest = hashlib.sha256()
    for recipe in every_array(dtype):
        digest.update("".join(case_hashes(expand(recipe)).values()).encode())
    assert digest.hexdigest() == BITS[dtype]


def test_a_case_holds_every_option_with_its_value():
    assert expand(cross_entropy()).options == {"reduction": "mean", "ignore_index": -100, "label_smoothing": 0.0}
    assert expand(cross_entropy(options={"reduction": "sum"})).options["reduction"] == "sum"


def test_options_that_only_some_signatures_have_are_there_when_given():
    assert "reduce" not in expand(cross_entropy()).options
    assert expand(cross_entropy(options={"reduce": False})).options["reduce"] is False


def test_shapes_and_dtypes():
    recipe = cross_entropy((2, 5, 3), "float16", weight=ArrayRecipe("positive"), grad_output=ArrayRecipe("uneven"))
    values = expand(recipe).values
    assert {name: (array.shape, array.dtype.name) for name, array in values.items()} == {
        "logits": ((2, 5, 3), "float16"),
        "target": ((2, 3), "int64"),
        "weight": ((5,), "float16"),
        "grad_output": ((), "float16"),
    }


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, ()),
        ({"reduction": "sum"}, ()),
        ({"reduction": "none"}, (2, 3)),
        ({"reduce": False}, (2, 3)),
        ({"reduction": "none", "size_average": True}, ()),
    ],
)
def test_an_upstream_gradient_has_the_shape_of_the_loss(options, shape):
    assert expand(cross_entropy((2, 5, 3), options=options, grad_output=ArrayRecipe("uneven"))).values["grad_output"].shape == shape


def test_a_single_row_without_a_batch():
    values = expand(cross_entropy((5,), options={"reduction": "none"}, grad_output=ArrayRecipe("ones"))).values
    assert values["target"].shape == values["grad_output"].shape == ()


def test_an_upstream_gradient_in_the_dtype_of_the_loss():
    assert (
        expand(cross_entropy(dtype="bfloat16", grad_output=ArrayRecipe("ones", dtype="float32"))).values["grad_output"].dtype == np.float32
    )


def test_the_class_axis_of_softmax_is_its_option():
    for axis in (0, 1, 2, -1):
        recipe = Recipe("softmax", "float32", (3, 4, 5), {"logits": ArrayRecipe("all_equal")}, {"axis": axis})
        assert np.ptp(expand(recipe).values["logits"], axis=axis).max() == 0
        assert np.ptp(expand(recipe).values["logits"]) > 0


@pytest.mark.parametrize("layout", [name for name, layout in LAYOUTS.items() if not layout.repeats])
def test_a_layout_does_not_change_the_case(layout):
    plain, laid_out = cross_entropy((3, 4, 2)), cross_entropy((3, 4, 2), logits=ArrayRecipe(layout=layout))
    assert case_hashes(expand(plain)) == case_hashes(expand(laid_out))


def test_hashes_tell_values_shapes_and_dtypes_apart():
    recipes = [cross_entropy(), cross_entropy((5, 3)), cross_entropy(dtype="float64"), cross_entropy(logits=ArrayRecipe(seed=1))]
    assert len({case_hashes(expand(recipe))["logits"] for recipe in recipes}) == 4


def test_argmax_targets_look_at_the_logits():
    recipe = cross_entropy((40, 7), target=ArrayRecipe("argmax"), logits=ArrayRecipe("decades"))
    values = expand(recipe).values
    assert np.array_equal(values["target"], values["logits"].argmax(axis=1))


def test_ignored_rows_hold_ignore_index_and_no_other_row_does():
    options = {"ignore_index": 2}
    values = expand(cross_entropy((200, 3), options=options, target=ArrayRecipe("uniform", ignored="first"))).values
    assert values["target"][0] == 2
    assert not (values["target"][1:] == 2).any()


def test_weights_look_at_the_kept_targets():
    recipe = cross_entropy((6, 50), target=ArrayRecipe("cycle", ignored="first"), weight=ArrayRecipe("kept_targets_zero"))
    weight = expand(recipe).values["weight"]
    assert not weight[1:6].any()
    assert weight[0] > 0


def test_a_broadcast_target_repeats_its_first_row():
    target = expand(cross_entropy((4, 9, 3), target=ArrayRecipe("uniform", layout="broadcast"))).arrays["target"]
    assert target.strides[0] == 0
    assert np.ptp(target.view(), axis=0).max() == 0


def test_edits_at_the_target():
    recipe = cross_entropy((6, 5), logits=ArrayRecipe(edits=(Edit(ALL_ROWS, TARGET_CLASS, 1, "-inf"),)))
    values = expand(recipe).values
    assert np.array_equal(np.isneginf(values["logits"]).argmax(axis=1), values["target"])
    assert np.isneginf(values["logits"]).sum() == 6


def test_labels_may_be_edited():
    recipe = cross_entropy((3, 5), target=ArrayRecipe("first_class", edits=(Edit(1, value="4"), Edit(2, value="99"))))
    assert expand(recipe).values["target"].tolist() == [0, 4, 99]


def test_elements_are_taken_as_they_are():
    recipe = cross_entropy(
        (2, 2), logits=ArrayRecipe(elements=("1.5", "-inf", "nan", "0.1")), target=ArrayRecipe("uniform", elements=("-100", "1"))
    )
    values = expand(recipe).values
    np.testing.assert_array_equal(values["logits"], np.float32([[1.5, -np.inf], [np.nan, 0.1]]))
    assert values["target"].tolist() == [-100, 1]


def test_a_recipe_survives_its_line_of_json():
    recipe = cross_entropy(options={"label_smoothing": 0.1}, logits=ArrayRecipe(edits=(Edit(value="nan"),), elements=None))
    assert recipe_from(recipe.one_line()) == recipe
    assert recipe_from(recipe.to_dict()) == recipe


def test_defaults_are_left_out_of_the_line():
    assert cross_entropy(target=ArrayRecipe("uniform")).one_line() == (
        '{"operation":"cross_entropy","dtype":"float32","shape":[3,5],"arrays":{"logits":{},"target":{"regime":"uniform"}}}'
    )


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (cross_entropy(logits=ArrayRecipe("ordinry")), "did you mean 'ordinary'"),
        (cross_entropy(target=ArrayRecipe("unifrm")), "did you mean 'uniform'"),
        (cross_entropy(logits=ArrayRecipe(layout="fortan")), "did you mean 'fortran'"),
        (cross_entropy(wieght=ArrayRecipe()), "did you mean 'weight'"),
        (cross_entropy(dtype="float31"), "did you mean 'float32'"),
        (cross_entropy(target=ArrayRecipe("uniform", dtype="int46")), "did you mean 'int64'"),
        (cross_entropy(target=ArrayRecipe("uniform", ignored="sme")), "did you mean 'some'"),
        (cross_entropy(options={"reduktion": "sum"}), "did you mean 'reduction'"),
    ],
)
def test_unknown_names_are_refused_with_a_suggestion(recipe, words):
    with pytest.raises(UnknownName, match=words):
        expand(recipe)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (cross_entropy(logits=ArrayRecipe(elements=("1",))), "needs 15 elements, not 1"),
        (cross_entropy(target=ArrayRecipe("uniform", elements=("1",))), "needs 3 elements, not 1"),
        (cross_entropy(target=ArrayRecipe("uniform", dtype="uint8", ignored="first")), "ignore_index that fits uint8, not -100"),
        (cross_entropy(shape=(1, 1), logits=ArrayRecipe(elements=("one",))), "could not convert string to float: 'one'"),
        (cross_entropy(logits=ArrayRecipe(edits=(Edit(value="big"),))), "not 'big'"),
        (cross_entropy(shape=()), "at least one dimension"),
        (cross_entropy(shape=(-1, 2)), "no negative length"),
        (Recipe("softmax", "float32", (2, 3), {"logits": ArrayRecipe()}, {"axis": 2}), "no axis of the shape"),
        (Recipe("cross_entropy", "float32", (2, 3), {"logits": ArrayRecipe()}), "needs an array 'target'"),
    ],
)
def test_recipes_that_contradict_themselves_are_refused(recipe, words):
    with pytest.raises(RecordError, match=words):
        expand(recipe)


def test_target_kinds():
    assert target_kind(Recipe("softmax", "float32", (2,), {"logits": ArrayRecipe()})) == ""
    assert target_kind(cross_entropy()) == "index"
    assert target_kind(cross_entropy(target=ArrayRecipe("negative"))) == "probabilities"
    recorded = ArrayRecipe("recorded:batch", elements=("1",) * 15)
    assert target_kind(cross_entropy(target=recorded)) == "probabilities"
    assert target_kind(cross_entropy(target=ArrayRecipe("recorded:batch", elements=("1",) * 3, dtype="int64"))) == "index"
