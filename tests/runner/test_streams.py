"""What is run when, of one operation."""

from __future__ import annotations

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
