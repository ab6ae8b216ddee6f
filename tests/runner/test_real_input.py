"""Recorded arrays run as cases; what fails is cut down to few rows, in a recipe that stands by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import xentfuzz
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import recipe_from
from xentfuzz.runner import real_input
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.recorded import Recorded
from xentfuzz.runner.settings import Settings


def check(forward: Any, recorded: Recorded, *, kind: str = "check", dtypes: tuple[str, ...] | None = None) -> xentfuzz.CheckReport:
    implementation = xentfuzz.Implementation("recorded", forward, dtypes=("float32",), supports={"targets": ("index",), "ranks": (2,)})
    settings = Settings(kind, get_profile("quick"), 0, examples=1, isolate=False, checks=("value",), dtypes=dtypes, recorded=(recorded,))
    return run_checks([implementation], settings)[0]


def recording() -> Recorded:
    random = np.random.default_rng(0)
    return Recorded("batch", random.normal(size=(64, 10)).astype(np.float32), random.integers(0, 10, 64))


def forward(logits: Any, target: Any, *, reduction: str = "mean", wrong_at: int = 10) -> Any:
    wide = logits.astype(np.float64)
    losses = np.log(np.exp(wide - wide.max(1, keepdims=True)).sum(1)) + wide.max(1) - wide[np.arange(len(wide)), target]
    losses = np.where(target == wrong_at, losses + 1, losses)
    reduced = {"mean": losses.mean, "sum": losses.sum, "none": lambda: losses}[reduction]()
    return np.asarray(reduced).astype(logits.dtype)


def test_a_recording_adds_cases() -> None:
    with_it = {result.dtype: result.cases for result in check(forward, recording()).checks}
    settings = Settings("check", get_profile("quick"), 0, examples=1, isolate=False, checks=("value",))
    implementation = xentfuzz.Implementation("recorded", forward, dtypes=("float32",), supports={"targets": ("index",), "ranks": (2,)})
    without = {result.dtype: result.cases for result in run_checks([implementation], settings)[0].checks}
    assert with_it["float32"] > without["float32"]


def test_checks_that_the_profile_leaves_out_are_left_out_here_too() -> None:
    implementation = xentfuzz.Implementation("recorded", forward, dtypes=("float32",), supports={"targets": ("index",), "ranks": (2,)})
    quick = get_profile("quick")
    for profile, tried in ((quick, True), (replace(quick, most={**quick.most, "costly": 0}), False)):
        settings = Settings("check", profile, 0, examples=0, isolate=True, checks=("thread_safe",), recorded=(recording(),))
        results = run_checks([implementation], settings)[0].checks
        assert any(result.cases for result in results) is tried


def test_what_fails_is_cut_down_to_one_row_that_is_written_out() -> None:
    def wrong_for_class_three(logits: Any, target: Any, *, reduction: str = "mean") -> Any:
        # Right on what is drawn: only the recording has ten classes.
        return forward(logits, target, reduction=reduction, wrong_at=3 if logits.shape[1] == 10 else 10**6)

    report = check(wrong_for_class_three, recording())
    failure = next(failure for failure in report.failures if failure.recipe["arrays"]["logits"].get("regime", "").startswith("recorded:"))
    assert failure.recipe["shape"] == (1, 10)
    assert failure.case["target"].tolist() == [3]
    case = expand(recipe_from(failure.recipe))
    np.testing.assert_array_equal(case.values["logits"], failure.case["logits"])


def test_a_recording_of_many_classes_is_reported_too() -> None:
    def always_wrong(logits: Any, target: Any, *, reduction: str = "mean") -> Any:
        return forward(logits, target, reduction=reduction) * (2 if logits.shape[1] == 1000 else 1)

    random = np.random.default_rng(0)
    wide = Recorded("wide", random.normal(size=(4, 1000)).astype(np.float32), random.integers(0, 1000, 4))
    (failure,) = check(always_wrong, wide).failures
    assert failure.recipe["shape"] == (1, 1000)
    case = expand(recipe_from(failure.recipe))
    np.testing.assert_array_equal(case.values["logits"], failure.case["logits"])


def test_what_is_too_large_to_be_written_out_is_reported_as_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong_for_class_three(logits: Any, target: Any, *, reduction: str = "mean") -> Any:
        return forward(logits, target, reduction=reduction, wrong_at=3 if logits.shape[1] == 10 else 10**6)

    monkeypatch.setattr(real_input, "LARGEST_WRITTEN", 5)
    monkeypatch.setattr(real_input, "LARGEST_FAILURE_WRITTEN", 5)
    (failure,) = check(wrong_for_class_three, recording()).failures
    assert failure.recipe["arrays"]["logits"] == {"regime": "recorded:batch"}
    assert failure.case["target"].tolist() == [3]
    assert not recipe_from(failure.recipe).complete


def test_a_report_says_what_was_compared() -> None:
    report = check(forward, recording())
    assert "recorded input compared: batch (3 cases)" in report.notes
    assert "recorded input left out: batch (label_smoothing)" in report.notes
    assert report.ok


def test_weights_are_left_out_for_a_kernel_that_takes_none() -> None:
    weighted = replace(recording(), weight=np.full(10, 0.5, np.float32))
    assert "recorded input compared: batch (3 cases)" in check(forward, weighted).notes


@pytest.mark.parametrize(("kind", "fine"), [("check", False), ("run", True)])
def test_what_a_user_gave_and_nothing_compared_is_a_problem(kind: str, fine: bool) -> None:
    wide = Recorded("wide", np.zeros((2, 3)), np.array([0, 2]))
    report = check(forward, wide, kind=kind)
    assert "recorded input left out: wide (it does not take float64)" in report.notes
    assert (report.problems == []) is fine


def test_a_recording_of_a_dtype_that_was_not_asked_for_is_left_out_and_said_so() -> None:
    report = check(forward, recording(), dtypes=("float64",))
    assert "recorded input left out: batch (float32 was not asked for)" in report.notes
    assert "nothing of the recorded input batch could be compared" in report.problems
