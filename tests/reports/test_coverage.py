"""What green covers, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xentfuzz.reports.card import card_lines
from xentfuzz.reports.coverage import coverage_words, reasons_left_out
from xentfuzz.reports.document import report_entry
from xentfuzz.reports.grade_words import grade_for, grade_words, stricter_grade_for, stricter_words
from xentfuzz.subjects.capabilities import Capabilities


def test_the_share_of_sizes_that_were_compared_is_told(samples):
    report = samples.passing(operation="cross_entropy", card=EVERYTHING, sizes={"met": 192, "cells": 768})
    assert coverage_words(report_entry(report)).endswith("; 192 of 768 kinds of sizes (25%)")


EVERYTHING = Capabilities(
    operation="cross_entropy",
    dtypes=("float16", "bfloat16", "float32", "float64"),
    targets=("index", "probabilities"),
    target_dtypes=("int64",),
    weight=True,
    options={"ignore_index": None, "reduction": None, "label_smoothing": None},
    gradients=("grad_logits",),
)


def words(samples, **changes):
    report = samples.passing(operation=changes.get("operation", "cross_entropy"), card=replace(EVERYTHING, **changes))
    return coverage_words(report_entry(report)).removesuffix("; 1000 compared, 48 unsupported")


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({}, "every dtype, rank, target and option"),
        ({"targets": ("index",), "weight": False}, "index targets only; no weight"),
        ({"options": {"reduction": ("mean",)}}, "no ignore_index, no label_smoothing; reduction only 'mean'"),
        ({"options": {"reduction": None, "label_smoothing": None, "ignore_index": ()}}, "no ignored rows"),
        ({"dtypes": ("float32",), "ranks": (2,)}, "float32 only; logits of rank 2 only"),
        ({"gradients": ()}, "no gradient"),
        ({"largest_class_count": 1024, "class_count_divisor": 8}, "at most 1024 classes; class counts that 8 divides"),
        ({"class_counts": (2, 5)}, "class counts 2, 5 only (compiling is costly)"),
    ],
)
def test_what_an_implementation_does_not_take_is_named(samples, changes, left_out):
    assert words(samples, **changes) == left_out


def test_an_operation_is_not_blamed_for_what_it_does_not_have(samples):
    softmax = {"targets": (), "weight": False, "options": {"axis": None}}
    assert words(samples, operation="softmax", **softmax) == "every dtype, rank, target and option"


def test_deprecated_options_are_not_missed(samples):
    assert "size_average" not in words(samples, options={})


@pytest.mark.parametrize(
    ("grade", "said"),
    [
        ("lse/any", "lse/any (working precision)"),
        (
            "float16: staged/any, bfloat16: staged/any, float32: shift/any",
            "staged/any (16-bit intermediates) for float16, bfloat16; shift/any (strict) for float32",
        ),
        ("float16: lse/any, float32: lse/any", "lse/any (working precision)"),
    ],
)
def test_grades_have_words(grade, said):
    assert grade_words(grade) == said


def test_what_had_nothing_to_compare_is_one_reason(samples):
    entry = report_entry(samples.passing())
    entry.unsupported = {"rank 1": 4, "one: nothing to compare": 3, "weight": 1, "other: nothing to compare": 2}
    assert list(reasons_left_out(entry).items()) == [("nothing to compare for 2 checks", 5), ("rank 1", 4), ("weight", 1)]
    entry.unsupported = {"rank 1": 4}
    assert reasons_left_out(entry) == {"rank 1": 4}


def test_a_stricter_grade_may_be_one_of_some_dtypes():
    assert stricter_words("shift/any") == "all that was compared meets shift/any, which could be declared"
    assert stricter_words("float32: shift/any, float64: lse/blocked").endswith(
        "shift/any for float32 and lse/blocked for float64, which could be declared"
    )
    assert [stricter_grade_for(text, "float32") for text in (None, "shift/any", "float32: lse/any", "float64: lse/any")] == [
        "",
        "shift/any",
        "lse/any",
        "",
    ]


@pytest.mark.parametrize(
    ("dtype", "said"),
    [("float16", "staged/any (16-bit intermediates)"), ("float32", "shift/any (strict)"), ("float64", "shift/any (strict)")],
)
def test_a_dtype_has_its_own_grade(dtype, said):
    grades = "float16: staged/any, float32: shift/any, float64: shift/any"
    assert grade_for(grades, dtype) == said
    assert grade_for("lse/any", dtype) == "lse/any (working precision)"


def test_what_the_probe_had_no_call_left_for_is_on_the_card(samples):
    told = [str(line) for line in card_lines(replace(EVERYTHING, not_tried=("weight", "4-d logits")))]
    assert sum("weight, 4-d logits; assumed to be taken" in line for line in told) == 1
    assert not any("assumed to be taken" in str(line) for line in card_lines(EVERYTHING))
