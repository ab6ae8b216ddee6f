"""What is run when, of one operation."""

from __future__ import annotations

import os

import numpy as np

from xentfuzz.implementation import Implementation
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings
from xentfuzz.subjects.in_process import InProcess


def test_a_worker_that_accepts_what_is_invalid_is_given_up_before_an_ordinary_call_and_not_after_each_case(monkeypatch):
    closed = []

    def close(subject):
        closed.append(subject)

    monkeypatch.setattr(InProcess, "close", close)
    implementation = Implementation("lenient", lambda logits, target, **options: np.zeros((), logits.dtype), supports={"ranks": (2,)})
    names = ("inputs_unchanged", "rejects_invalid_options", "rejects_mismatched_shapes")
    settings = Settings("check", get_profile("quick"), 0, isolate=False, checks=names, shrink=False)
    (report,) = run_checks([implementation], settings)
    failed = [result.cases for result in report.checks if result.status == "failed"]
    assert sum(failed) > 40
    # After the hazardous part of the first round, at the end, and as the run ends.
    assert 2 <= len(closed) <= 4


def ends_the_process(logits, target, *, reduction="mean"):
    """Right for what is valid; an index that nobody checks ends the process."""
    if target.shape != logits.shape[:1] or ((target < 0) | (target >= logits.shape[1])).any():
        os.abort()
    return honest(logits, target, reduction=reduction)


def honest(logits, target, *, reduction="mean"):
    wide = logits.astype(np.float64)
    largest = wide.max(axis=1, keepdims=True)
    rows = np.log(np.exp(wide - largest).sum(axis=1)) + largest[:, 0] - wide[np.arange(len(wide)), target]
    return np.asarray({"none": rows, "sum": rows.sum(), "mean": rows.mean()}[reduction]).astype(logits.dtype)


def test_what_invalid_input_does_to_the_process_keeps_no_valid_input_from_being_tried():
    supports = {"ranks": (2,), "targets": ("index",), "options": {"reduction": None, "ignore_index": ()}}
    names = ("value", "permuted_rows_keep_result", "rejects_out_of_range_targets")
    settings = Settings("check", get_profile("quick"), 0, isolate=True, examples=8, checks=names, shrink=False)
    cases = {}
    for kernel in (honest, ends_the_process):
        (report,) = run_checks([Implementation("unchecked", kernel, supports=supports)], settings)
        cases[kernel] = {(one.check, one.dtype): one.cases for one in report.checks if not one.check.startswith("rejects")}
        assert not report.cut_short
    assert {failure.kind for failure in report.failures} == {"abort"}, [failure.message for failure in report.failures]
    assert cases[ends_the_process] == cases[honest]
    assert all(cases[honest].values())
