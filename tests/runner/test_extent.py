"""A green result says how much of the contract it is about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xentfuzz
from xentfuzz.operations import get_operation
from xentfuzz.reports.document import report_entry
from xentfuzz.reports.summary import verdict_lines
from xentfuzz.runner.extent import features_of


def matrices(logits: Any, target: Any) -> Any:
    if logits.ndim != 2 or target.dtype.kind not in "iu" or target.shape != logits.shape[:1]:
        raise TypeError("matrices and class indices")
    kept = target != -100
    if ((target[kept] < 0) | (target[kept] >= logits.shape[1])).any():
        raise ValueError("labels")
    wide = logits.astype(np.longdouble)
    with np.errstate(all="ignore"):
        shifted = wide - wide.max(axis=1, keepdims=True)
        rows = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(target)), np.where(kept, target, 0).astype(np.int64)]
        return np.asarray(rows[kept].sum() / kept.sum()).astype(logits.dtype)


def test_the_extent_is_data_and_words() -> None:
    supports = {"targets": ("index",), "ranks": (2,), "options": {}}
    implementation = xentfuzz.Implementation("mine", matrices, dtypes=("float32",), supports=supports)
    report = xentfuzz.check(implementation, profile="quick", seed=0, isolate=False, max_examples=3, checks=("value",))
    assert report.ok, [failure.message for failure in report.failures] + report.problems
    extent = report.to_dict()["extent"]
    features = list(features_of(get_operation("cross_entropy")))
    assert sorted([*extent["compared"], *extent["not_taken"], *extent["not_compared"]]) == sorted(features)
    assert extent["compared"] == ["float32", "rank 2", "index targets"]
    assert extent["share"] == round(3 / len(features), 3)
    text = [line.text for line in verdict_lines(report_entry(report))]
    assert text[0].startswith("PASSED: mine, cross_entropy; ")
    assert text[0].endswith(f"; 3 of {len(features)} features")
    assert text[1].startswith("compared   matrices of float32 with class indices; not taken: float16, ")


def test_one_loss_for_each_row_without_a_word_of_it_is_taken_as_reduction_none() -> None:
    def rows(logits: Any, target: Any) -> Any:
        return np.array([matrices(logits[[row]], target[[row]]) for row in range(len(logits))], logits.dtype)

    report = xentfuzz.check(rows, profile="quick", seed=0, isolate=False, max_examples=3, checks=("value", "shape", "dtype"))
    assert report.card.options["reduction"] == ("none",)
    assert any("one number for each row" in note for note in report.card.notes)
    assert "shape" not in {failure.kind for failure in report.failures}


def losses(logits: Any, target: Any, *, reduction: str = "none") -> Any:
    return np.array([matrices(logits[[row]], target[[row]]) for row in range(len(logits))], logits.dtype)


def losses_instead_of_a_mean(logits: Any, target: Any, *, reduction: str = "mean") -> Any:
    return losses(logits, target)


@pytest.mark.parametrize("isolate", [False, True])
def test_a_reduction_that_is_none_by_default_and_heeds_nothing_else_is_that(isolate: bool) -> None:
    settings = {"profile": "quick", "seed": 0, "isolate": isolate, "max_examples": 3, "checks": ("value", "shape")}
    report = xentfuzz.check(losses, **settings)
    assert report.card.options["reduction"] == ("none",)
    assert any("heeds no other one" in note for note in report.card.notes)
    assert "shape" not in {failure.kind for failure in report.failures}
    assert "shape" in {failure.kind for failure in xentfuzz.check(losses_instead_of_a_mean, **settings).failures}


def test_what_a_budget_cut_short_is_not_plainly_passed() -> None:
    implementation = xentfuzz.Implementation("mine", matrices, dtypes=("float32",))
    cut, whole = (
        xentfuzz.check(implementation, profile="quick", seed=0, isolate=False, max_examples=3, checks=("value",), budget=budget)
        for budget in (1e-9, None)
    )
    cut.problems = []  # of having compared nothing
    cut.extent, cut.cases = whole.extent, 1
    line, *_ = verdict_lines(report_entry(cut))
    assert line.text.startswith("PASSED SO FAR: mine, cross_entropy; ")
    assert line.text.endswith("; cut short")
    assert verdict_lines(report_entry(whole))[0].text.startswith("PASSED: ")
