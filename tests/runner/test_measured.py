"""The figures behind a green verdict: what was compared, and how large the errors were."""

from __future__ import annotations

import math

import numpy as np

import xentfuzz
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.runner.measured import EDGES, Measured, merged_measured


def recipe(shape=(2, 40), target=None, **options):
    arrays = {"logits": ArrayRecipe("swamp", layout="fortran"), "target": target or ArrayRecipe("uniform")}
    return Recipe("cross_entropy", "float32", shape, arrays, options)


def test_comparisons_are_counted_by_what_the_case_has():
    measured = Measured()
    case = recipe(target=ArrayRecipe("uniform", ignored="all"), reduction="sum", label_smoothing=0.1, ignore_index=-100)
    measured.note(case, 0.0, 0.0)
    measured.note(case, 0.5, 1.0)
    measured.note(recipe(shape=(2, 9)), 0.0, 0.0)
    assert measured.to_dict()["compared"] == {
        "dtype": {"float32": 3},
        "rank": {"rank 2": 3},
        "target": {"index targets": 3},
        "kind of numbers": {"swamp": 3},
        "layout": {"contiguous": 3, "fortran": 3},
        "classes": {"33 to 128": 2, "1 to 32": 1},
        "option": {"ignored rows": 2, "label_smoothing": 2, "reduction=sum": 2, "all at their defaults": 1},
        "options together": {
            "ignored rows and label_smoothing": 2,
            "ignored rows and reduction=sum": 2,
            "label_smoothing and reduction=sum": 2,
        },
    }


def test_every_class_count_has_a_band():
    for classes, band in ((0, "0"), (1, "1 to 32"), (32, "1 to 32"), (33, "33 to 128"), (4128, "2,049 to 4,128"), (4129, "4,129 and more")):
        measured = Measured()
        measured.note(recipe(shape=(2, classes)), 0.0, 0.0)
        assert measured.to_dict()["compared"]["classes"] == {band: 1}


def test_the_largest_error_is_kept_with_its_ulp_and_an_allowed_one_is_no_larger_than_1():
    measured = Measured()
    for ratio, ulp in ((0.5, 9.0), (1.0, 2.0), (0.0, 0.0), (1e-9, 0.0)):
        measured.note(recipe(), ratio, ulp)
    (row,) = measured.to_dict()["errors"]
    assert (row["regime"], row["dtype"], row["comparisons"], row["ratio"], row["ulp"]) == ("swamp", "float32", 3, 1.0, 2.0)
    assert row["spread"][0] == row["spread"][EDGES.index(0.5)] == row["spread"][EDGES.index(1.0)] == 1
    assert row["spread"][-1] == 0
    measured.note(recipe(), math.inf, math.inf)
    assert measured.to_dict()["errors"][0]["spread"][-1] == 1


def test_runs_add_up():
    one, two = Measured(), Measured()
    one.note(recipe(), 0.5, 1.0)
    two.note(recipe(), 2.0, 3.0)
    together = merged_measured([one.to_dict(), {}, two.to_dict()])
    assert together["compared"]["dtype"] == {"float32": 2}
    (row,) = together["errors"]
    assert (row["comparisons"], row["ratio"], row["ulp"], sum(row["spread"])) == (2, 2.0, 3.0, 2)
    assert merged_measured([{}]) == {}


def test_a_check_measures_what_it_compares_and_not_what_must_raise():
    def softmax(logits, *, axis):
        shifted = np.exp((logits - logits.max(axis=axis, keepdims=True)).astype(np.float64))
        return (shifted / shifted.sum(axis=axis, keepdims=True)).astype(logits.dtype)

    kernel = xentfuzz.Implementation("mine", softmax, operation="softmax", dtypes=("float32",), supports={})
    checks = ["value", "shape", "rejects_mismatched_shapes"]
    report = xentfuzz.check(kernel, profile="quick", seed=0, checks=checks, max_examples=6, isolate=False)
    compared = sum(result.cases for result in report.checks if result.check in ("value", "shape"))
    assert report.measured["compared"]["dtype"] == {"float32": compared}
    assert compared > 0
    assert max(row["ratio"] for row in report.measured["errors"]) == max(result.worst_ratio for result in report.checks)
