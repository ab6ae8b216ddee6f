from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.dtypes import FORMATS
from xentfuzz.recipes.edits import apply_edits
from xentfuzz.recipes.recipe import ALL_ROWS, TARGET_CLASS, Edit

FORM = FORMATS["float16"]


def edited(*edits: Edit, labels: tuple[int, ...] | None = (2, 0)) -> list[list[float]]:
    numbers = np.arange(8.0).reshape(2, 4)
    return apply_edits(numbers, edits, FORM, None if labels is None else np.array(labels)).tolist()


def test_an_edit_overwrites_one_cell():
    assert edited(Edit(row=1, start=2, value="9")) == [[0, 1, 2, 3], [4, 5, 9, 7]]


def test_rows_and_classes_wrap_around_and_runs_are_clipped():
    assert edited(Edit(row=3, start=7, count=5, value="9")) == [[0, 1, 2, 3], [4, 5, 6, 9]]


def test_an_edit_of_all_rows():
    assert edited(Edit(row=ALL_ROWS, start=1, count=2, value="-1")) == [[0, -1, -1, 3], [4, -1, -1, 7]]


def test_the_target_class_of_each_row():
    assert edited(Edit(row=ALL_ROWS, start=TARGET_CLASS, value="9")) == [[0, 1, 9, 3], [9, 5, 6, 7]]


def test_the_target_value_makes_a_tie():
    assert edited(Edit(row=ALL_ROWS, start=1, value="target")) == [[0, 2, 2, 3], [4, 4, 6, 7]]


def test_without_labels_nothing_is_at_the_target():
    assert edited(Edit(row=0, start=TARGET_CLASS, value="9"), labels=None) == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("value", "number"),
    [("max", 65504.0), ("-max", -65504.0), ("subnormal", 2.0**-24), ("inf", np.inf), ("-inf", -np.inf), ("1e-3", 0.001)],
)
def test_values_by_name(value, number):
    assert edited(Edit(value=value))[0][0] == number


def test_nan():
    assert np.isnan(edited(Edit(value="nan"))[0][0])


def test_edits_apply_in_order():
    assert edited(Edit(count=4, value="-inf"), Edit(start=TARGET_CLASS, value="1"))[0] == [-np.inf, -np.inf, 1.0, -np.inf]


def test_the_numbers_given_are_left_alone():
    numbers = np.zeros((1, 1))
    apply_edits(numbers, [Edit(value="9")], FORM, None)
    assert numbers.tolist() == [[0.0]]
