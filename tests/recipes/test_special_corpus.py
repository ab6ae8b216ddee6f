"""Special values, and class indices of narrow dtypes: each in every place where it may stand, and often."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from xentfuzz.dtypes import FORMATS
from xentfuzz.operations import operation_names
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.shapes import class_rows
from xentfuzz.recipes.space import FAMILIES
from xentfuzz.recipes.special import PAIRS


def special_facts(recipe: Recipe) -> set[str]:
    """What a special case of cross_entropy with index targets is an example of."""
    case = expand(recipe)
    rows = class_rows(recipe.shape, {})
    if not rows.count:
        return {"no rows"}
    logits = rows.take(case.values["logits"], slice(0, rows.count)).astype(np.float64)
    target = case.values["target"].reshape(-1)
    ignored = target == case.options["ignore_index"]
    labels, kept = target[~ignored], logits[~ignored]
    chosen = kept[np.arange(len(labels)), labels]
    weights = case.values.get("weight", np.ones(rows.classes)).astype(np.float64)
    beside = np.isneginf(kept).any(axis=1) & np.isfinite(chosen)
    facts = {
        "nothing kept": not len(kept),
        "garbage in ignored rows": not np.isfinite(logits[ignored]).all(),
        "masked": case.options["label_smoothing"] == 0 and beside.any(),
        "masked with smoothing": case.options["label_smoothing"] > 0 and beside.any(),
        "target masked": (np.isneginf(chosen) & np.isfinite(kept).any(axis=1)).any(),
        "all masked": np.isneginf(kept).all(axis=1).any(),
        "first tile masked": any(_tiles_masked(kept, length)[:, :1].any() for length in (8, 16, 32)),
        "later tile masked": any(_tiles_masked(kept, length)[:, 1:].any() for length in (16, 32, 64)),
        "not a number": np.isnan(kept).any(),
        "infinite": np.isposinf(kept).any(),
        "ends of the format": (np.abs(np.nan_to_num(logits, posinf=0, neginf=0)) > FORMATS[recipe.dtype].max / 4).any(),
        "weights without sum": len(labels) and not weights[labels].any(),
        "unread weights": not np.isfinite(weights).all(),
        "finite and other rows": 0 < np.isfinite(logits).all(axis=1).sum() < rows.count,
    }
    return {name for name, holds in facts.items() if holds}


def _tiles_masked(logits: np.ndarray, length: int) -> np.ndarray:
    """(rows, tiles) bool: rows with a finite class, tiles of classes that are all -inf."""
    tiles = logits.shape[1] // length
    masked = np.isneginf(logits[:, : tiles * length]).reshape(len(logits), tiles, length).all(axis=2)
    return masked & np.isfinite(logits).any(axis=1, keepdims=True)


# Of 300 cases with index targets.
SPECIAL_AT_LEAST = {
    "nothing kept": 15,
    "garbage in ignored rows": 30,
    "masked": 12,
    "masked with smoothing": 10,
    "target masked": 12,
    "all masked": 12,
    "first tile masked": 9,
    "later tile masked": 9,
    "not a number": 12,
    "infinite": 12,
    "ends of the format": 15,
    "weights without sum": 9,
    "unread weights": 5,
    "finite and other rows": 40,
    "no rows": 10,
}


def test_special_values_are_frequent_in_every_place(whole_space):
    recipes = draw_corpus(whole_space(family="special", targets=("index",)), 5, 300)
    counts = Counter(itertools.chain.from_iterable(map(special_facts, recipes)))
    assert {name: counts[name] for name, least in SPECIAL_AT_LEAST.items() if counts[name] < least} == {}


def test_every_pair_of_special_values_stands_at_the_ends_of_a_tile(whole_space):
    met = set()
    for recipe in draw_corpus(whole_space("softmax", family="special"), 5, 600):
        edits = recipe.arrays["logits"].edits
        met |= {
            (first.value, last.value) for first, last in itertools.pairwise(edits) if first.row == last.row and first.start <= last.start
        }
    assert set(PAIRS) - met == set()


def test_infinities_of_both_signs_and_nan_among_infinities_meet_in_one_row(whole_space):
    found = Counter()
    for recipe in draw_corpus(whole_space(family="special"), 5, 300):
        rows = class_rows(recipe.shape, {})
        logits = rows.take(expand(recipe).values["logits"], slice(0, rows.count)).astype(np.float64)
        several = logits.shape[1] > 1 and len(logits)
        nan, minus = np.isnan(logits).any(axis=1), np.isneginf(logits)
        found["both signs"] += bool(several and (np.isposinf(logits).any(axis=1) & minus.any(axis=1)).any())
        found["NaN beside -inf alone"] += bool(several and (nan & (np.isnan(logits) | minus).all(axis=1)).any())
    assert found["both signs"] >= 12
    assert found["NaN beside -inf alone"] >= 6


@pytest.mark.parametrize("operation", operation_names())
def test_every_array_of_numbers_may_hold_zeros_of_both_signs(whole_space, operation):
    signs = {}
    for recipe in draw_corpus(whole_space(operation), 5, 400):
        for name, values in expand(recipe).values.items():
            if values.dtype.kind != "i":
                zeros = values[values == 0]
                signs.setdefault(name, Counter()).update({bool(sign) for sign in np.signbit(zeros)})
    assert all(counts[True] >= 4 and counts[False] >= 4 for counts in signs.values())


def test_labels_that_overflow_a_narrow_dtype_are_frequent(whole_space):
    recipes = draw_corpus(whole_space(family="robust", targets=("index",)), 5, 200)
    cases = [(recipe, expand(recipe)) for recipe in recipes]
    wrapped = sum(recipe.arrays["target"].dtype == "uint8" and (case.values["target"] == 156).any() for recipe, case in cases)
    eight_bits = sum(recipe.arrays["target"].dtype in ("uint8", "int8") and np.prod(recipe.shape) > 255 for recipe, _ in cases)
    assert wrapped >= 4
    assert eight_bits >= 30
    assert sum(0 in recipe.shape for recipe in recipes) >= 30


@pytest.mark.parametrize("family", ["ordinary", "special"])
@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_class_indices_have_a_dtype_of_the_space(whole_space, family, dtype):
    recipes = draw_corpus(whole_space(family=family, targets=("index",), target_dtypes=(dtype,)), 5, 100)
    targets = [expand(recipe).values["target"] for recipe in recipes]
    assert {target.dtype.name for target in targets} == {dtype}
    # Of -100 there is none in eight bits without a sign.
    assert any((target == -100).any() for target in targets) == (dtype == "int32")


@pytest.mark.parametrize("dtypes", [("uint8",), ("int8", "uint8"), ("int32", "int16", "int8", "uint8")])
def test_every_case_of_narrow_targets_can_be_built(whole_space, dtypes):
    for family in FAMILIES:
        recipes = draw_corpus(whole_space(family=family, target_dtypes=dtypes), 0, 150)
        assert all(expand(recipe).values["target"].size >= 0 for recipe in recipes)
