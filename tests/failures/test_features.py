"""Features say of a recipe what a person would say of its case."""

from __future__ import annotations

from xentfuzz.failures.features import feature_names, features
from xentfuzz.recipes.recipe import ArrayRecipe, Edit, Recipe


def _features(shape, arrays, **options):
    return features(Recipe("cross_entropy", "float32", shape, arrays, options))


def test_of_a_recipe_with_regimes():
    logits = ArrayRecipe("offset", layout="fortran", edits=(Edit(value="nan"),))
    arrays = {"logits": logits, "target": ArrayRecipe("one_hot"), "weight": ArrayRecipe("ones", layout="unaligned")}
    assert _features((2, 3, 4), arrays, reduction="sum") == {
        "dtype": "float32",
        "rank": 3,
        "classes": 3,
        "rows": 8,
        "weight": True,
        "regime": "offset",
        "layout": ("fortran", "unaligned"),
        "edits": ("nan",),
        "target": "probabilities",
        "target_dtype": "float32",
        "target_regime": "one_hot",
        "weight_regime": "ones",
        "reduction": "sum",
        "ignore_index": -100,
        "label_smoothing": 0.0,
    } | dict.fromkeys(("size_average", "reduce"))


def test_of_a_recipe_with_written_numbers():
    arrays = {
        "logits": ArrayRecipe(elements=("nan", "0", "-inf")),
        "target": ArrayRecipe("first_class", dtype="uint8", elements=("7",)),
        "grad_output": ArrayRecipe("uneven", elements=("1.0",)),
    }
    found = _features((1, 3), arrays, ignore_index=7)
    wanted = {
        "edits": ("nan", "-inf"),
        "ignored": True,
        "target_dtype": "uint8",
        "regime": "elements",
        "upstream_regime": "ones",
        "layout": ("contiguous",),
    }
    assert {name: found[name] for name in wanted} == wanted
    assert not _features((1, 3), arrays)["ignored"]


def test_of_a_softmax():
    found = features(Recipe("softmax", "float16", (2, 3, 4), {"logits": ArrayRecipe()}, {"axis": 0}))
    assert (found["classes"], found["rows"], found["axis"], "target" in found) == (2, 12, 0, False)


def test_every_feature_has_a_name_for_conditions():
    found = _features((2, 3), {"logits": ArrayRecipe(), "target": ArrayRecipe("first_class"), "grad_output": ArrayRecipe("ones")})
    assert found.keys() <= set(feature_names("cross_entropy")) <= set(feature_names())
