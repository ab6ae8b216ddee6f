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
from xentfuzz.recipes.special import PAIRS
from xentfuzz.recipes.target import INDEX, PROBABILITIES
from xentfuzz.recipes.upstream import UPSTREAM
from xentfuzz.recipes.weight import WEIGHT

# The recipes drawn for seed 0, and their arrays. A change of what is drawn changes it; a change of machine or of NumPy must not.
CORPUS = "2469e9a4d84172f1213f1b5aee6602e2b97e7c97ed8724aaae00739edcc3b9e4"


def test_a_corpus_is_the_same_on_every_machine(whole_space):
    digest = hashlib.sha256()
    for operation, dtype, family in itertools.product(operation_names(), FLOAT_NAMES, FAMILIES):
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


# ---- special cases


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
    return named(
        nothing_kept=not len(kept),
        garbage_in_ignored_rows=not np.isfinite(logits[ignored]).all(),
        masked=case.options["label_smoothing"] == 0 and beside.any(),
        masked_with_smoothing=case.options["label_smoothing"] > 0 and beside.any(),
        target_masked=(np.isneginf(chosen) & np.isfinite(kept).any(axis=1)).any(),
        all_masked=np.isneginf(kept).all(axis=1).any(),
        first_tile_masked=any(_tiles_masked(kept, length)[:, :1].any() for length in (8, 16, 32)),
        later_tile_masked=any(_tiles_masked(kept, length)[:, 1:].any() for length in (16, 32, 64)),
        not_a_number=np.isnan(kept).any(),
        infinite=np.isposinf(kept).any(),
        ends_of_the_format=(np.abs(np.nan_to_num(logits, posinf=0, neginf=0)) > FORMATS[recipe.dtype].max / 4).any(),
        weights_without_sum=len(labels) and not weights[labels].any(),
        unread_weights=not np.isfinite(weights).all(),
        finite_and_other_rows=0 < np.isfinite(logits).all(axis=1).sum() < rows.count,
    )


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
