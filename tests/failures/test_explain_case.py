"""The explanation of a minimal case names what it needs, and nothing that it merely has."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.failures.conditions import parse_condition
from xentfuzz.failures.explain_case import explain
from xentfuzz.failures.features import features
from xentfuzz.recipes.expand import expand, target_kind
from xentfuzz.recipes.recipe import ArrayRecipe, Edit, Recipe


def _recipe(shape=(2, 3), *, options=None, dtype="float32", **arrays):
    made = {"logits": ArrayRecipe(), "target": ArrayRecipe("cycle"), "grad_output": ArrayRecipe("ones")} | arrays
    return Recipe("cross_entropy", dtype, shape, made, options or {})


def _written(labels, logits=None, shape=(2, 3), **more):
    logits = logits or ["0.5"] * int(np.prod(shape))
    return _recipe(shape, logits=ArrayRecipe(elements=tuple(logits)), target=ArrayRecipe("cycle", elements=tuple(labels)), **more)


def _case(predicate):
    """A check that fails where `predicate` holds for the expanded case."""
    return lambda recipe: bool(predicate(expand(recipe)))


def _has_ignored(case):
    return bool((case.values["target"] == case.options["ignore_index"]).any())


def _has_negative_infinity_at_target(case):
    logits, target = case.values["logits"], case.values["target"]
    return target.dtype.kind == "i" and bool(np.isneginf(logits[np.arange(len(target)), target]).any())


@pytest.mark.parametrize(
    ("recipe", "still_fails", "needs"),
    [
        (_recipe(options={"label_smoothing": 0.1}), _case(lambda case: case.options["label_smoothing"] > 0), ("label_smoothing > 0",)),
        (_recipe(options={"label_smoothing": 0.1}), _case(lambda _: True), ()),
        (_recipe(options={"reduction": "none"}), _case(lambda case: case.options["reduction"] == "none"), ("reduction none",)),
        (_recipe(), _case(lambda case: case.options["reduction"] != "sum"), ()),
        # Among classes that there are none of, none is the largest.
        (_recipe((2, 0), target=ArrayRecipe("one_hot")), _case(lambda _: True), ()),
        (_recipe(), _case(lambda case: case.options["reduction"] == "mean"), ("reduction mean",)),
        (_written(["0", "-100"]), _case(_has_ignored), ("an ignored row",)),
        (_recipe(target=ArrayRecipe("cycle", ignored="first")), _case(_has_ignored), ("an ignored row",)),
        (
            _written(["0", "1"], options={"ignore_index": 1, "label_smoothing": 0.5}),
            _case(lambda case: _has_ignored(case) and case.options["ignore_index"] >= 0 and case.options["label_smoothing"]),
            ("label_smoothing > 0", "an ignored row", "ignore_index >= 0"),
        ),
        (_recipe(weight=ArrayRecipe("positive")), _case(lambda case: "weight" in case.arrays), ("a weight",)),
        (_recipe(target=ArrayRecipe("one_hot")), lambda recipe: target_kind(recipe) == "probabilities", ("class probabilities",)),
        (_written(["0", "1"]), lambda recipe: target_kind(recipe) == "index", ("class indices",)),
        (_written(["0", "-100"]), lambda recipe: target_kind(recipe) == "index", ("class indices",)),
        (_recipe((2, 3, 2)), lambda recipe: len(recipe.shape) > 2, ("rank > 2",)),
        (_recipe((3,)), lambda recipe: len(recipe.shape) == 1, ("rank 1",)),
        (_recipe((2, 3, 2)), lambda recipe: np.prod(recipe.shape) > 6, ("4 rows",)),
        (_recipe((3, 40)), lambda recipe: recipe.shape[1] >= 40, ("at least 40 classes",)),
        (_recipe((2000, 40)), lambda recipe: recipe.shape[1] >= 40, ("at least 40 classes",)),
        (_recipe((3, 300)), lambda recipe: recipe.shape[1] in (12, 300), ("300 classes",)),
        (_recipe((3, 300)), lambda recipe: recipe.shape[1] in (300, 301), ("300 classes",)),
        (_recipe((3, 300)), lambda recipe: recipe.shape[1] in (150, 300, 301, 600), ("300 classes",)),
        (_written(["9"], shape=(1, 40)), lambda recipe: recipe.shape[1] >= 40, ("at least 40 classes",)),
        (
            _recipe((2, 40), target=ArrayRecipe("one_hot"), weight=ArrayRecipe("positive")),
            lambda recipe: recipe.shape[1] >= 40,
            ("at least 40 classes",),
        ),
        (_recipe((3, 9)), lambda recipe: recipe.shape[1] % 8 == 1, ("classes % 8 = 1",)),
        (_recipe((3, 17)), lambda recipe: recipe.shape[1] % 8 == 1 and recipe.shape[1] > 9, ("classes % 8 = 1, >= 17",)),
        (
            _recipe((3, 513)),
            lambda recipe: recipe.shape[1] in range(513, 1024, 2),
            ("classes % 2 = 1, >= 513, < 1027",),
        ),
        (_recipe((3, 513)), lambda recipe: 513 <= recipe.shape[1] < 1024, ("classes >= 513, < 1026",)),
        (_recipe((2, 1)), lambda recipe: recipe.shape[1] % 2 == 1, ("classes % 2 = 1",)),
        (_recipe((2, 1)), lambda recipe: recipe.shape[1] == 1, ("1 class",)),
        (_recipe((2, 4)), lambda recipe: recipe.shape[1] % 4 == 0, ("classes % 4 = 0",)),
        (_recipe(dtype="bfloat16"), lambda recipe: recipe.dtype == "bfloat16", ("dtype bfloat16",)),
        (_recipe(dtype="bfloat16"), lambda recipe: {"bfloat16": True, "float32": False}.get(recipe.dtype), ("dtype bfloat16",)),
        (_recipe(dtype="bfloat16"), lambda recipe: recipe.dtype in ("bfloat16", "float16"), ()),
        (
            _written(["0", "1"], ["-inf", "-inf", "-inf", "0", "-inf", "1"]),
            _case(lambda case: np.isneginf(case.values["logits"]).all(1).any()),
            ("a row of nothing but -inf in logits",),
        ),
        (
            _written(["0", "1"], ["-inf", "-inf", "-inf", "0", "-inf", "1"]),
            _case(lambda case: np.isneginf(case.values["logits"]).any()),
            ("-inf in logits",),
        ),
        (
            _written(["0", "1"], ["0", "-inf", "2", "0", "-inf", "1"]),
            _case(_has_negative_infinity_at_target),
            ("class indices", "-inf at the target in logits"),
        ),
        *(
            (
                _written(["0", str(given)], options={"ignore_index": given}),
                _case(lambda case, fails=fails: _has_ignored(case) and fails(case.options["ignore_index"])),
                ("an ignored row", words),
            )
            for given, fails, words in (
                (2, lambda index: index == 2, "ignore_index = 2"),
                (255, lambda index: index >= 0, "ignore_index >= 0"),
                (2, lambda index: 0 <= index < 3, "an ignore_index that is a class"),
                (255, lambda index: index >= 3, "an ignore_index beyond the classes"),
                (255, lambda index: index != -100, "ignore_index other than -100"),
                (-1, lambda index: index == -1, "ignore_index = -1"),
                (-1, lambda index: index < 0 and index != -100, "ignore_index < 0 other than -100"),
            )
        ),
        (_recipe((16, 3)), lambda recipe: recipe.shape[0] >= 16, ("at least 16 rows",)),
        (_recipe((16, 3)), lambda recipe: recipe.shape[0] % 8 == 0, ("16 rows",)),
        (
            _recipe(options={"label_smoothing": 1.0}),
            _case(lambda case: case.options["label_smoothing"] == 1),
            ("label_smoothing = 1.0",),
        ),
        (
            _recipe(options={"label_smoothing": 0.1}),
            _case(lambda case: case.options["label_smoothing"] == 0.1),
            ("label_smoothing = 0.1",),
        ),
        (
            _recipe(grad_output=ArrayRecipe("zero")),
            _case(lambda case: (case.values["grad_output"] == 0).all()),
            ("an upstream gradient of 0",),
        ),
        (
            _recipe(grad_output=ArrayRecipe("zero")),
            _case(lambda case: (case.values["grad_output"] != 1).any()),
            ("an upstream gradient other than 1",),
        ),
        (_recipe((2, 3)), lambda _: True, ()),
        (
            _recipe(logits=ArrayRecipe(layout="fortran")),
            lambda recipe: recipe.arrays["logits"].layout == "fortran",
            ("logits laid out as fortran",),
        ),
        (
            _recipe(logits=ArrayRecipe(layout="fortran")),
            lambda recipe: recipe.arrays["logits"].layout != "contiguous",
            ("logits not contiguous",),
        ),
        (
            _recipe(logits=ArrayRecipe(edits=(Edit(value="-inf"),))),
            _case(lambda case: np.isneginf(case.values["logits"]).any()),
            ("-inf in logits",),
        ),
        (
            _written(["0", "1"], ["nan", "0", "0", "0", "1e3", "0"]),
            _case(lambda case: np.isnan(case.values["logits"]).any()),
            ("a NaN in logits",),
        ),
        (
            _written(["0", "1"], ["0", "0", "0", "0", "1e3", "0"]),
            _case(lambda case: case.values["logits"].max() > 88),
            ("logits as large as 1000",),
        ),
        (
            _recipe(logits=ArrayRecipe("offset", scale=100.0)),
            lambda recipe: recipe.arrays["logits"].regime == "offset",
            ("logits of regime offset",),
        ),
        (
            _recipe(grad_output=ArrayRecipe("uneven")),
            _case(lambda case: (case.values["grad_output"] != 1).any()),
            ("an upstream gradient other than 1",),
        ),
        (
            _recipe(target=ArrayRecipe("cycle", dtype="uint8")),
            _case(lambda case: case.values["target"].dtype == np.uint8),
            ("a target of dtype uint8",),
        ),
    ],
)
def test_needs_are_named(recipe, still_fails, needs):
    assert still_fails(recipe)
    explanation = explain(recipe, still_fails)
    assert explanation.needs == needs
    found = features(recipe)
    assert all(parse_condition(condition)(found[name]) for name, condition in explanation.region.items())


def test_a_neighbour_that_the_implementation_does_not_take_says_nothing():
    recipe = _recipe(options={"label_smoothing": 0.1})
    assert explain(recipe, lambda _: None).needs == ()


def test_the_region_leaves_out_cases_without_the_feature():
    recipe = _written(["0", "-100"], options={"label_smoothing": 0.25})
    region = explain(recipe, _case(lambda case: _has_ignored(case) and case.options["label_smoothing"] > 0)).region
    assert region == {"label_smoothing": ">0", "ignored": True}
    conditions = {name: parse_condition(condition) for name, condition in region.items()}
    for other in (_written(["0", "1"], options={"label_smoothing": 0.25}), _written(["0", "-100"])):
        assert not all(condition(features(other)[name]) for name, condition in conditions.items())


def test_softmax_has_needs_too():
    recipe = Recipe("softmax", "float32", (2, 3, 2), {"logits": ArrayRecipe()}, {"axis": 1})
    assert explain(recipe, lambda recipe: len(recipe.shape) > 2).needs == ("rank > 2",)


def test_a_narrow_target_may_not_hold_the_number_of_classes():
    recipe = _recipe(shape=(1, 300), target=ArrayRecipe("first_class", dtype="int8"))
    assert "at least 300 classes" in explain(recipe, _case(lambda case: case.values["logits"].shape[1] >= 300)).needs
