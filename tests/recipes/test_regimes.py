"""Every regime of every table, in every format."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from xentfuzz.dtypes import FLOAT_NAMES, FORMATS
from xentfuzz.recipes.log_probs import LOG_PROBS
from xentfuzz.recipes.logits import LOGITS
from xentfuzz.recipes.regime import Grid, Regime
from xentfuzz.recipes.target import INDEX, PROBABILITIES
from xentfuzz.recipes.upstream import UPSTREAM
from xentfuzz.recipes.weight import WEIGHT
from xentfuzz.recipes.words import Array, Words

TABLES = {"logits": LOGITS, "log_probs": LOG_PROBS, "probabilities": PROBABILITIES, "upstream": UPSTREAM}
ENTRIES = [(table, name) for table, regimes in TABLES.items() for name in regimes]
LABELS = np.array([3, 0, 16, 3, 8])


def made(regime: Regime, dtype: str = "float32", **grid: Any) -> Array:
    """The regime's numbers in five rows of seventeen classes, unless `grid` says otherwise."""
    first = {"rows": 5, "classes": 17, "scale": regime.scales_for(FORMATS[dtype].max)[0], "labels": LABELS}
    return regime.make(Grid(Words(3, "test"), format=FORMATS[dtype], **{**first, **grid}))


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
@pytest.mark.parametrize(("table", "name"), ENTRIES)
def test_ordinary_regimes_give_numbers_well_inside_the_format(table, name, dtype):
    regime = TABLES[table][name]
    for scale in regime.scales_for(FORMATS[dtype].max):
        for rows, classes in ((5, 17), (1, 1), (2, 2), (3, 300)):
            labels = np.arange(rows) % classes
            numbers = made(regime, dtype, rows=rows, classes=classes, scale=scale, labels=labels)
            assert numbers.shape == (rows, classes)
            if regime.family == "ordinary":
                assert np.isfinite(numbers).all()
                assert np.abs(numbers).max() <= FORMATS[dtype].max / 2


@pytest.mark.parametrize(("table", "name"), ENTRIES)
def test_a_regime_depends_on_its_seed_unless_it_is_a_constant(table, name):
    regime = TABLES[table][name]
    other = regime.make(Grid(Words(4, "test"), 5, 17, FORMATS["float32"], regime.scales[0], LABELS))
    constants = {"swamp", "storage_swamp", "all_at_the_end", "ends_apart", "one_hot", "smoothed_one_hot", "ones", "constant", "zero"}
    assert np.array_equal(other, made(regime), equal_nan=True) == (name in constants)


def test_confident_rows_point_at_the_target_or_away_from_it():
    right = made(LOGITS["confident_right"], scale=100.0)
    wrong = made(LOGITS["confident_wrong"], scale=100.0)
    assert (right.argmax(axis=1) == LABELS).all()
    assert (wrong.argmax(axis=1) != LABELS).all()


def test_a_late_logit_dominates_from_the_last_quarter():
    assert (made(LOGITS["late"], rows=50, classes=100, scale=100.0, labels=None).argmax(axis=1) >= 75).all()


def test_sorted_rows():
    assert (np.diff(made(LOGITS["ascending"])) >= 0).all()
    assert (np.diff(made(LOGITS["descending"])) <= 0).all()


def test_ties():
    assert (np.ptp(made(LOGITS["all_equal"]), axis=1) == 0).all()
    assert set(np.unique(made(LOGITS["exact_ties"], rows=50, labels=None))) == {-2, -1, 0, 1, 2}
    assert 0 < np.ptp(made(LOGITS["near_ties"]), axis=1).max() < 0.002


def test_offsets_are_common_to_all_rows_or_differ():
    common = made(LOGITS["offset"], scale=1e6).mean(axis=1)
    each = made(LOGITS["offset_of_each_row"], scale=1e6).mean(axis=1)
    assert np.ptp(common) < 10
    assert np.ptp(each) > 1e5


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
def test_a_swamp_is_lost_in_an_accumulator_of_the_arithmetic_format(dtype):
    numbers = made(LOGITS["swamp"], dtype, scale=1.02)
    accumulator = np.float32(1) if FORMATS[dtype].arithmetic == "float32" else np.float64(1)
    assert (accumulator + np.exp(numbers[:, 1:]).astype(accumulator.dtype) == 1).all()
    numbers = made(LOGITS["swamp"], dtype, scale=0.96)
    assert (accumulator + np.exp(numbers[:, 1:]).astype(accumulator.dtype) > 1).all()


def test_numbers_at_the_ends_overflow_a_difference():
    for name in ("near_the_end", "ends_apart"):
        numbers = made(LOGITS[name]).astype(np.float32)
        with np.errstate(over="ignore"):
            assert np.isinf(numbers.max(axis=1) - numbers.min(axis=1)).any()


def test_genuine_log_probabilities_add_up_to_one():
    assert np.exp(made(LOG_PROBS["powers_of_two"])).sum(axis=1) == pytest.approx(1)


def test_unread_garbage_spares_the_target():
    numbers = made(LOG_PROBS["unread_garbage"])
    finite = np.isfinite(numbers)
    assert (finite.sum(axis=1) == 1).all()
    assert (finite.argmax(axis=1) == LABELS).all()


def test_probabilities():
    assert (made(PROBABILITIES["one_hot"]).argmax(axis=1) == LABELS).all()
    assert set(np.unique(made(PROBABILITIES["one_hot"]))) == {0, 1}
    assert made(PROBABILITIES["normalised"]).sum(axis=1) == pytest.approx(1)
    assert (made(PROBABILITIES["smoothed_one_hot"]) > 0).all()
    assert np.ptp(made(PROBABILITIES["unnormalised"]).sum(axis=1)) > 0.1
    assert 0.3 < (made(PROBABILITIES["sparse"], rows=50, labels=None) == 0).mean() < 0.7
    zero = (made(PROBABILITIES["zero_rows"], rows=50, labels=None) == 0).all(axis=1)
    assert 5 < zero.sum() < 30
    assert made(PROBABILITIES["negative"]).min() < 0 < made(PROBABILITIES["negative"]).max()


def test_index_regimes_give_classes():
    for name, regime in INDEX.items():
        labels = made(regime, labels=None)
        assert labels.shape == (5, 1), name
        assert ((labels >= 0) & (labels < 17)).all(), name
    assert (made(INDEX["last_class"], labels=None) == 16).all()
    assert (made(INDEX["tail_classes"], rows=50, labels=None) >= 9).all()
    assert np.ptp(made(INDEX["same"], labels=None)) == 0


def weights(name: str, labels: list[int], dtype: str = "float32", classes: int = 17, seed: int = 3) -> Array:
    regime = WEIGHT[name]
    scale = regime.scales_for(FORMATS[dtype].max)[0]
    return regime.make(Grid(Words(seed, "weight"), 1, classes, FORMATS[dtype], scale, np.array(labels, np.int64)))[0]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", [name for name, regime in WEIGHT.items() if regime.family == "ordinary"])
def test_ordinary_weights_leave_a_mean_something_to_divide_by(name, seed):
    labels = [3, 0, 16, 3, 8]
    numbers = weights(name, labels, seed=seed)
    assert np.isfinite(numbers).all()
    assert np.abs(numbers[labels]).sum() <= 1000 * abs(numbers[labels].sum()) > 0


def test_weights_of_both_signs_never_cancel():
    for seed in range(1500):
        met = weights("mixed_signs", [0, 1], classes=2, seed=seed)
        assert np.abs(met).sum() <= 100 * abs(met.sum())


def test_weights_span_twelve_decades_and_six_in_float16():
    wide = weights("decades", [0], classes=2000)
    narrow = weights("decades", [0], "float16", classes=2000)
    assert 1e11 < wide.max() / wide.min() < 1e13
    assert 1e5 < narrow.max() / narrow.min() < 1e7


def test_weights_of_zero():
    labels = [3, 0, 16]
    assert not weights("all_zero", labels).any()
    assert not weights("kept_targets_zero", labels)[labels].any()
    assert weights("kept_targets_zero", labels).any()
    assert weights("targets_zero", labels)[labels].tolist() == [1.0, 0.0, 0.0]
    assert 0 < (weights("some_zero", labels) == 0).sum() < 17


def test_mixed_signs_are_exact_in_every_format():
    numbers = weights("mixed_signs", [3, 0, 16])
    assert np.array_equal(numbers * 64, np.round(numbers * 64))
    assert np.abs(numbers * 64).max() < 2 ** FORMATS["bfloat16"].precision


def test_unread_weights_spare_the_targets():
    numbers = weights("unread_garbage", [3, 0, 16])
    assert np.isfinite(numbers[[3, 0, 16]]).all()
    assert np.isfinite(numbers).sum() == 3
