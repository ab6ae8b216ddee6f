"""Stricter grades: kept while everything compared meets them, and named by a report where something could be declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xentfuzz
from xentfuzz.checks.stricter import StricterGrades
from xentfuzz.operations import get_operation
from xentfuzz.operations.grades import LADDER, parse_grade, stricter_than
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import recipe_from

Array = np.ndarray[Any, Any]
Sum = Callable[[Array], Array]

CASE = expand(
    recipe_from(
        {
            "operation": "log_softmax",
            "dtype": "float32",
            "shape": [2, 4096],
            "arrays": {"logits": {"regime": "offset", "seed": 7, "scale": 1e4}},
            "options": {"axis": 1},
        }
    )
)


def _held(*results: Array) -> StricterGrades:
    grades = StricterGrades.than(parse_grade("lse/any"))
    for result in results:
        grades.hold(result, get_operation("log_softmax").evaluate(CASE), "value", "float32")
    return grades


def _log_softmax(x: Array) -> Array:
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def test_stricter_grades_are_those_that_promise_more():
    assert stricter_than(parse_grade("shift/pairwise")) == ()
    assert stricter_than(parse_grade("lse/blocked")) == tuple(map(parse_grade, ("shift/pairwise", "shift/blocked", "lse/pairwise")))
    for lax in map(parse_grade, ("fast-math/any", "staged/any")):
        assert set(stricter_than(lax)) == set(LADDER[:-2])


def test_what_meets_the_strictest_meets_all():
    grades = _held(_log_softmax(CASE.values["logits"]))
    assert grades.met == stricter_than(parse_grade("lse/any"))


def test_a_result_leaves_out_what_it_does_not_meet_for_good():
    x = CASE.values["logits"]
    maximum = x.max(axis=1, keepdims=True)
    cancelled = x - (maximum + np.log(np.exp(x - maximum).sum(axis=1, keepdims=True)))
    for results in ((cancelled, _log_softmax(x)), (_log_softmax(x), cancelled)):
        assert _held(*results).met == tuple(map(parse_grade, ("lse/pairwise", "lse/blocked")))


def test_nothing_is_met_where_a_result_is_wrong():
    assert _held(_log_softmax(CASE.values["logits"]) + 1).met == ()


def _kernel(*, shift: bool) -> Callable[..., Array]:
    def log_softmax(logits: Array, *, axis: int) -> Array:
        x = logits.astype(np.float64 if logits.dtype == np.float64 else np.float32)
        m = x.max(axis=axis, keepdims=True)
        log_s = np.log(np.exp(x - m).sum(axis=axis, keepdims=True))
        return ((x - m) - log_s if shift else x - (m + log_s)).astype(logits.dtype)

    return log_softmax


@pytest.mark.parametrize(("shift", "forms"), [(True, {"shift"}), (False, {"lse"})])
def test_a_report_names_the_strictest_form_that_was_met(shift, forms):
    implementation = xentfuzz.Implementation("mine", _kernel(shift=shift), operation="log_softmax", dtypes=("float32",))
    report = xentfuzz.check(implementation, profile="quick", seed=0, checks=["value"])
    assert report.ok
    assert {parse_grade(report.stricter_grade or "lse/any").form} == forms


def test_a_report_with_findings_names_none():
    implementation = xentfuzz.Implementation(
        "mine", lambda logits, *, axis: _kernel(shift=True)(logits, axis=axis) * 2, operation="log_softmax", dtypes=("float32",)
    )
    assert xentfuzz.check(implementation, profile="quick", seed=0, checks=["value"]).stricter_grade is None


def test_it_is_named_by_dtype_where_dtypes_differ():
    def log_softmax(logits: Array, *, axis: int) -> Array:
        return _kernel(shift=logits.dtype == np.float32)(logits, axis=axis)

    implementation = xentfuzz.Implementation(
        "mine", log_softmax, operation="log_softmax", dtypes=("float32", "float64"), grade="lse/pairwise"
    )
    report = xentfuzz.check(implementation, profile="quick", seed=0, checks=["value"])
    assert report.stricter_grade == "float32: shift/pairwise"
