from __future__ import annotations

import hashlib
import itertools
from collections import Counter

import numpy as np
import pytest

from xentfuzz.dtypes import FLOAT_NAMES, FORMATS
from xentfuzz.errors import UnknownName
from xentfuzz.operations import operation_names
from xentfuzz.operations.case import Case
from xentfuzz.operations.options import effective_reduction
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import case_hashes, expand, target_kind
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.recipes.limits import family_of
from xentfuzz.recipes.logits import LOGITS
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.shapes import class_rows
from xentfuzz.recipes.space import FAMILIES
from xentfuzz.recipes.target import INDEX, PROBABILITIES
from xentfuzz.recipes.upstream import UPSTREAM
from xentfuzz.recipes.weight import WEIGHT

# The recipes drawn for seed 0, and their arrays. A change of what is drawn changes it; a change of machine or of NumPy must not.
CORPUS = "2469e9a4d84172f1213f1b5aee6602e2b97e7c97ed8724aaae00739edcc3b9e4"


def test_a_corpus_is_the_same_on_every_machine(whole_space):
    digest = hashlib.sha256()
    for operation, dtype, family in itertools.product(("softmax", "log_softmax", "nll_loss", "cross_entropy"), FLOAT_NAMES, FAMILIES):
        for recipe in draw_corpus(whole_space(operation, dtype, family), 0, 40):
            digest.update(recipe.one_line().encode())
            digest.update("".join(case_hashes(expand(recipe)).values()).encode())
    assert digest.hexdigest() == CORPUS


def test_a_larger_corpus_begins_with_the_smaller_one(whole_space):
    assert draw_corpus(whole_space(), 3, 100)[:10] == draw_corpus(whole_space(), 3, 10)


def test_seeds_give_different_corpora(whole_space):
    assert draw_corpus(whole_space(), 3, 10) != draw_corpus(whole_space(), 4, 10)


def test_hardly_any_recipe_comes_twice(whole_space):
    assert len({recipe.one_line() for recipe in draw_corpus(whole_space(), 0, 300)}) > 297


def test_an_unknown_family_is_refused(whole_space):
    with pytest.raises(UnknownName, match="did you mean 'special'"):
        draw_corpus(whole_space(family="spezial"), 0, 1)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", FLOAT_NAMES)
@pytest.mark.parametrize("operation", operation_names())
def test_a_family_holds_what_it_says_and_nothing_undefined(whole_space, operation, dtype, family):
    found = Counter(family_of(expand(recipe)) for recipe in draw_corpus(whole_space(operation, dtype, family), 1, 128))
    # A special twist may turn out to change nothing: a mask beside the only class, weights without a target that lacks one.
    assert found.keys() <= {family, "ordinary"}
    assert found[family] >= (128 if family != "special" else 118)


# ---- the space is respected


@pytest.mark.parametrize("family", FAMILIES)
def test_limits_of_the_space_are_kept(whole_space, family):
    limits = {
        "ranks": (2, 3),
        "layouts": ("contiguous", "sliced_rows"),
        "options": {"reduction": ("sum", "none")},
        "targets": ("index",),
        "largest": 512,
        "long": 0,
        "weight": False,
    }
    for recipe in draw_corpus(whole_space(family=family, **limits), 2, 150):
        assert len(recipe.shape) in (2, 3)
        assert {array.layout for array in recipe.arrays.values()} <= {"contiguous", "sliced_rows"}
        assert recipe.options.keys() <= {"reduction"}
        assert expand(recipe).options["reduction"] in ("sum", "none")
        assert target_kind(recipe) == "index"
        assert "weight" not in recipe.arrays
        assert np.prod(recipe.shape) <= 512


def test_class_counts_may_be_a_few_or_multiples(whole_space):
    few = {class_rows(recipe.shape, {}).classes for recipe in draw_corpus(whole_space(class_counts=(3, 32, 1000)), 0, 200)}
    assert few == {3, 32, 1000}
    multiples = {class_rows(recipe.shape, {}).classes for recipe in draw_corpus(whole_space(class_count_divisor=8), 0, 200)}
    assert len(multiples) > 10
    assert not any(classes % 8 for classes in multiples)
    small = {class_rows(recipe.shape, {}).classes for recipe in draw_corpus(whole_space(largest_class_count=40), 0, 200)}
    assert 30 < max(small) <= 40


def test_regimes_may_be_limited(whole_space):
    space = whole_space(regimes={"weight": ("positive",), "target": ("one_hot", "uniform")})
    for recipe in draw_corpus(space, 0, 200):
        assert recipe.arrays["target"].regime in ("one_hot", "uniform")
        assert "weight" not in recipe.arrays or recipe.arrays["weight"].regime == "positive"


def test_only_values_that_may_be_passed_are_drawn(whole_space):
    space = whole_space(options={"ignore_index": (7,), "label_smoothing": None})
    values = {(target_kind(recipe), expand(recipe).options["ignore_index"]) for recipe in draw_corpus(space, 0, 100)}
    # A value of zero or more is no option beside probabilities, where it stays at its default.
    assert values == {("index", 7), ("probabilities", -100)}


def test_without_the_option_rows_with_its_default_are_ignored(whole_space):
    recipes = draw_corpus(whole_space(options={}, targets=("index",)), 0, 100)
    assert any((expand(recipe).values["target"] == -100).any() for recipe in recipes)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_row_is_ignored_where_no_value_is_declared(whole_space, family):
    for recipe in draw_corpus(whole_space(family=family, options={"ignore_index": ()}, targets=("index",)), 0, 200):
        assert not (expand(recipe).values["target"] == -100).any()


def test_the_upstream_gradient_of_a_loss_may_have_a_dtype_of_its_own(whole_space):
    for operation, dtype in (("cross_entropy", "float32"), ("softmax", "bfloat16")):
        recipe = draw_corpus(whole_space(operation, "bfloat16", loss_dtype="float32"), 0, 1)[0]
        assert expand(recipe).values["grad_output"].dtype.name == dtype


def test_declared_target_dtypes_are_ordinary(whole_space):
    recipes = draw_corpus(whole_space(targets=("index",), target_dtypes=("int64", "int32")), 0, 60)
    assert Counter(expand(recipe).values["target"].dtype.name for recipe in recipes).keys() == {"int64", "int32"}


def test_every_regime_and_layout_comes_up(whole_space):
    drawn = draw_corpus(whole_space(), 0, 1000)
    tables = {"logits": LOGITS, "target": INDEX | PROBABILITIES, "weight": WEIGHT, "grad_output": UPSTREAM}
    for name, table in tables.items():
        arrays = [recipe.arrays[name] for recipe in drawn if name in recipe.arrays]
        assert {array.regime for array in arrays} == {regime for regime, entry in table.items() if entry.family == "ordinary"}
    assert {recipe.arrays["logits"].layout for recipe in drawn} == set(LAYOUTS)


# ---- what is frequent


def facts(recipe: Recipe) -> set[str]:
    """What an ordinary case of cross_entropy is an example of."""
    case = expand(recipe)
    found = {f"rank {len(recipe.shape)}", effective_reduction(case.options), target_kind(recipe)}
    found |= _of_options(recipe, case) | _of_shape(recipe) | _of_upstream(recipe, case)
    return found | _of_logits(recipe, case) | (_of_labels(recipe, case) if target_kind(recipe) == "index" else set())


def named(**facts_by_name: object) -> set[str]:
    return {name.replace("_", " ") for name, holds in facts_by_name.items() if holds}


def _of_options(recipe: Recipe, case: Case) -> set[str]:
    classes = class_rows(recipe.shape, {}).classes
    ignore_index, smoothing = case.options["ignore_index"], case.options["label_smoothing"]
    return named(
        weight="weight" in recipe.arrays,
        small_weights="weight" in case.values and 0 < np.abs(case.values["weight"].astype(np.float64)).max() < 0.01,
        smoothing=smoothing > 0,
        smoothing_one=smoothing == 1,
        smoothing_near_zero=0 < smoothing < 1e-4,
        ignore_index_beyond_16_bits=ignore_index > 65_535,
        ignore_index_inside=0 <= ignore_index < classes,
        ignore_index_inside_with_smoothing=0 <= ignore_index < classes and smoothing > 0,
        laid_out=recipe.arrays["logits"].layout != "contiguous",
        element_by_element=recipe.arrays["logits"].elements is not None,
    )


def _of_shape(recipe: Recipe) -> set[str]:
    rows = class_rows(recipe.shape, {})
    return named(
        batch_equals_classes=recipe.shape[0] == rows.classes and len(recipe.shape) == 2,
        last_dimension_equals_classes=len(recipe.shape) > 2 and recipe.shape[-1] == rows.classes > 1,
        two_spatial_dimensions=len(recipe.shape) == 4 and min(recipe.shape[2:]) > 1,
        a_block_of_8_classes_and_a_tail_of_2_to_6=rows.classes > 8 and rows.classes % 8 in range(2, 7),
        long_spatial_axis=len(recipe.shape) > 2 and max(recipe.shape[2:]) > 32 and recipe.shape[0] > 1,
        tiles_of_rows_and_classes=rows.count > 64 and rows.classes > 32,
        odd_batch=rows.count > 1 and rows.count % 2,
        more_than_64_rows=rows.count > 64 and rows.count % 64,
        one_class=rows.classes == 1,
        more_than_16_classes=rows.classes > 16,
        more_than_256_classes=rows.classes > 256,
        more_than_1000_classes=rows.classes > 1000,
        more_than_2047_classes=rows.classes > 2047,
        vocabulary=rows.classes > 30_000,
        more_than_65535_rows=rows.count > 65_535,
    )


STRIDED = ("sliced_rows", "sliced_columns", "fortran", "transposed", "negative_stride", "first_columns")


def _of_upstream(recipe: Recipe, case: Case) -> set[str]:
    upstream = case.values["grad_output"].astype(np.float64)
    several = upstream.size > 1
    layout = recipe.arrays["grad_output"].layout
    return named(
        upstream_is_not_one=(upstream != 1).any(),
        upstream_is_not_uniform=several and np.ptp(upstream) > 0,
        upstream_repeats=several and LAYOUTS[layout].repeats,
        upstream_repeats_along_one_axis=several and np.ptp(upstream) > 0 and LAYOUTS[layout].repeats,
        loss_scale=(np.abs(upstream) > 1000).any(),
        upstream_is_strided=several and layout in STRIDED,
    )


def _of_logits(recipe: Recipe, case: Case) -> set[str]:
    rows = class_rows(recipe.shape, {})
    logits = rows.take(case.values["logits"], slice(0, rows.count)).astype(np.float64)
    largest = logits.max(axis=1)
    early, late = logits[:, :256].max(axis=1), logits[:, 256:].max(axis=1, initial=-np.inf)
    return named(
        beyond_exp_in_float32=(largest > 88.7).any(),
        beyond_exp_in_float16=(largest > 11.1).any(),
        tied_maxima=rows.classes > 1 and ((logits == largest[:, None]).sum(axis=1) > 1).any(),
        growing_maximum=(late > early).any(),
        late_and_large=rows.classes > 1000 and (late > early + 88).any(),
        flat_and_wide=rows.classes > 256 and (np.ptp(logits, axis=1) < 8).any(),
    )


def _of_labels(recipe: Recipe, case: Case) -> set[str]:
    rows = class_rows(recipe.shape, {})
    logits = rows.take(case.values["logits"], slice(0, rows.count)).astype(np.float64)
    target = case.values["target"]
    ignored = (target == case.options["ignore_index"]).reshape(-1)
    labels = target.reshape(-1)[~ignored]
    kept = logits[~ignored]
    chosen = kept[np.arange(len(labels)), labels]
    gaps = kept.max(axis=1) - chosen
    mean = case.options["reduction"] == "mean"
    weighed = "weight" in case.values and case.values["weight"].astype(np.float64)[labels].sum()
    return named(
        ignored=ignored.any(),
        first_row_ignored=ignored[0],
        ignored_by_default=ignored.any() and case.options["ignore_index"] == -100,
        ignored_beyond_the_classes=ignored.any() and case.options["ignore_index"] >= rows.classes,
        samples_differ_in_ignored=mean and len(recipe.shape) > 2 and np.ptp(ignored.reshape(target.shape[0], -1).sum(axis=1)) > 0,
        smoothing_and_ignored=ignored.any() and case.options["label_smoothing"] > 0,
        gap_beyond_float16=(gaps > 17).any(),
        gap_beyond_float32=(gaps > 104).any(),
        gap_beyond_float64=(gaps > 746).any(),
        label_in_the_tail=(labels >= rows.classes - rows.classes % 8).any(),
        tie_with_the_target=rows.classes > 1 and ((kept == chosen[:, None]).sum(axis=1) > 1).any(),
        negative_sum_of_weights=mean and weighed and weighed < 0,
        sum_of_losses_leaves_the_format=mean and gaps.sum() > FORMATS[recipe.dtype].max,
    )


# Of 400 cases, at least so many; the least frequent ones must still be met in a corpus of 120.
AT_LEAST = {
    "weight": 150,
    "smoothing": 150,
    "smoothing one": 20,
    "smoothing near zero": 20,
    "small weights": 5,
    "ignore index beyond 16 bits": 8,
    "a block of 8 classes and a tail of 2 to 6": 30,
    "long spatial axis": 8,
    "tiles of rows and classes": 6,
    "upstream repeats along one axis": 8,
    "loss scale": 15,
    "ignored": 100,
    "first row ignored": 40,
    "ignored by default": 50,
    "ignored beyond the classes": 14,
    "ignore index inside": 45,
    "ignore index inside with smoothing": 20,
    "smoothing and ignored": 50,
    "samples differ in ignored": 8,
    "laid out": 150,
    "element by element": 18,
    "batch equals classes": 20,
    "last dimension equals classes": 16,
    "two spatial dimensions": 25,
    "odd batch": 100,
    "more than 64 rows": 20,
    "one class": 10,
    "more than 16 classes": 120,
    "more than 256 classes": 40,
    "more than 1000 classes": 28,
    "more than 2047 classes": 16,
    "vocabulary": 2,
    "more than 65535 rows": 2,
    "upstream is not one": 250,
    "upstream is not uniform": 45,
    "upstream repeats": 8,
    "upstream is strided": 10,
    "beyond exp in float32": 90,
    "beyond exp in float16": 160,
    "tied maxima": 70,
    "tie with the target": 40,
    "growing maximum": 20,
    "late and large": 6,
    "flat and wide": 16,
    "gap beyond float16": 60,
    "gap beyond float32": 40,
    "gap beyond float64": 14,
    "label in the tail": 100,
    "negative sum of weights": 8,
}
CORE = ("index", "probabilities", "mean", "sum", "none", "weight", "smoothing", "ignored", "rank 1", "rank 2", "rank 3", "rank 4")
EXCLUSIVE = ({"index", "probabilities"}, {"mean", "sum", "none"}, {"rank 1", "rank 2", "rank 3", "rank 4"})


@pytest.fixture(scope="module", params=FLOAT_NAMES)
def drawn(request, whole_space):
    """The facts of 400 cases in one format."""
    return request.param, [facts(recipe) for recipe in draw_corpus(whole_space("cross_entropy", request.param), 11, 400)]


def test_what_matters_is_frequent(drawn):
    counts = Counter(itertools.chain.from_iterable(drawn[1]))
    assert {name: counts[name] for name, least in AT_LEAST.items() if counts[name] < least} == {}


def test_every_pair_of_features_is_frequent(drawn):
    counts = Counter(frozenset(pair) for found in drawn[1] for pair in itertools.combinations(found & set(CORE), 2))
    for pair in map(frozenset, itertools.combinations(CORE, 2)):
        if any(pair <= group for group in EXCLUSIVE) or pair in ({"ignored", "probabilities"}, {"ignored", "rank 1"}):
            assert counts[pair] == 0
        else:
            assert counts[pair] >= 8, pair


def test_sums_of_losses_leave_float16(drawn):
    dtype, found = drawn
    count = sum("sum of losses leaves the format" in facts for facts in found)
    assert count >= 3 if dtype == "float16" else count == 0
