"""The matrix of a run: what needs a look is named, what does not is counted."""

from __future__ import annotations

from xentfuzz.reports.document import report_entry
from xentfuzz.reports.matrix import matrix_lines
from xentfuzz.runner.results import CheckResult


def texts(samples, *checks):
    report = samples.passing()
    report.checks = list(checks)
    return [line.text for line in matrix_lines([report_entry(report)])]


def results(status, *names):
    return [CheckResult(name, dtype, status) for name in names for dtype in ("float16", "bfloat16", "float32", "float64")]


def test_many_passed_checks_are_counted(samples):
    lines = texts(samples, *results("passed", "first", "second", "third", "fourth", "fifth"))
    assert any(line.split() == ["first,", "second,", "third", "and", "2", "more", "...."] for line in lines)


def test_every_failed_and_expected_check_is_named(samples):
    for status, mark in (("failed", "FFFF"), ("expected", "xxxx")):
        words = " ".join(texts(samples, *results(status, "first", "second", "third", "fourth", "fifth"))).split()
        assert mark in words
        assert {"first", "second", "third", "fourth", "fifth"} <= {word.strip(",") for word in words}


def test_checks_that_say_nothing_share_a_line(samples):
    lines = texts(samples, *results("passed", "value"), *results("unsupported", "fused"), *results("not_run", "huge", "large"))
    assert "  supported by none: fused" in lines
    assert "  not run: huge, large" in lines


def test_a_check_that_one_dtype_lacks_keeps_its_marks(samples):
    lines = texts(samples, CheckResult("value", "float32", "passed"))
    assert any(line.split() == ["value", "??.?"] for line in lines)


def test_a_check_of_one_dtype_that_was_not_reached_was_not_run(samples):
    elsewhere = [CheckResult("huge", dtype, "unsupported", reason="tried in float16 only") for dtype in ("bfloat16", "float32", "float64")]
    lines = texts(samples, *results("passed", "value"), CheckResult("huge", "float16", "not_run"), *elsewhere)
    assert "  not run: huge" in lines
