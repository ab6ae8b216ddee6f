"""What was not checked is said with the reason that concerns the implementation."""

from __future__ import annotations

import math

import pytest

from xentfuzz.reports.check_table import check_lines
from xentfuzz.reports.tally import ulp_words
from xentfuzz.runner.results import CheckResult


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ({"float16": "does not take float16", "float32": "nothing was tried", "float64": "nothing was tried"}, "nothing was tried"),
        ({"float16": "does not take float16", "float32": "tried in float64 only", "float64": "no such memory"}, "no such memory"),
        ({"float32": "tried in float64 only", "float64": "tried in float64 only"}, "tried in float64 only"),
    ],
)
def test_the_reason_is_that_of_a_dtype_which_is_taken_and_tried(samples, document, reasons, said):
    report = samples.passing()
    report.checks = [CheckResult("large_input", dtype, "unsupported", reason=reason) for dtype, reason in reasons.items()]
    (entry,) = document(samples.check_events(report)).reports
    assert f"not checked: large_input ({said})" in [line.text for line in check_lines(entry)]


@pytest.mark.parametrize(
    ("ulp", "words"), [(0.0, ""), (0.75, "0.75 ulp"), (1e6, "1e+06 ulp"), (4.5e15, ""), (math.inf, ""), (math.nan, "")]
)
def test_units_in_the_last_place_are_left_out_where_they_say_nothing(ulp, words):
    assert ulp_words(ulp) == words
