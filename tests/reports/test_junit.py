"""JUnit's XML, as a CI server reads it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from xentfuzz.reports.junit import to_junit


def suites(document):
    return ET.fromstring(to_junit(document)).findall("testsuite")  # noqa: S314 - our own text


def test_one_suite_per_report_and_one_case_per_check_and_dtype(samples, document):
    found = suites(document(samples.run_events()))
    assert [suite.get("name") for suite in found] == ["alpha.cross_entropy", "beta.cross_entropy", "alpha.softmax", "beta.softmax"]
    assert [case.get("name") for case in found[2]] == [
        "value[float32]",
        "value[float64]",
        "shape[float32]",
        "shape[float64]",
        "value_and_grad[float32]",
        "value_and_grad[float64]",
    ]


def test_the_counts_are_those_of_the_cases(samples, document):
    alpha, beta, *_ = suites(document(samples.run_events()))
    assert [alpha.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["7", "1", "0", "2"]
    assert [beta.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["6", "0", "0", "3"]


def test_a_failure_has_kind_headline_message_and_input(samples, document):
    (suite,) = suites(document(samples.check_events(samples.failing())))
    failure = suite.find("testcase/failure")
    assert failure.get("type") == "gradient"
    assert failure.get("message").startswith("backward: gradient of logits[0, 1] is 0.25")
    assert "needs an ignored row\nfloat32 1x2\nlogits = [[0.5, -1.5]] float32" in failure.text


def test_a_dtype_that_fails_like_another_refers_to_it(samples, document):
    report = samples.failing()
    report.checks[1].status = "failed"
    (suite,) = suites(document(samples.check_events(report)))
    assert [failure.get("type") for failure in suite.findall("testcase/failure")] == ["gradient", "related"]


def test_expected_and_unsupported_are_skipped_with_their_reason(samples, document):
    (suite,) = suites(document(samples.check_events(samples.expecting())))
    assert [skipped.get("message") for skipped in suite.findall("testcase/skipped")] == [
        "expected: a known fault of the library below",
        "unsupported: has no value_and_grad",
        "unsupported: has no value_and_grad",
    ]


def test_a_problem_of_the_run_is_a_failing_case(samples, document):
    (suite,) = suites(document(samples.check_events(samples.passing(problems=["nothing could be compared"]))))
    assert suite.get("failures") == "1"
    assert suite.find("testcase[@name='run']/failure").get("message") == "nothing could be compared"


def test_characters_that_xml_forbids_do_not_break_it(samples, document):
    report = samples.failing()
    report.failures[0].message = "a \x1b[31mcolour\x1b[0m, a \x00 and a \ud800 <tag> & more"
    (suite,) = suites(document(samples.check_events(report)))
    assert suite.find("testcase/failure").get("message") == "a \ufffd[31mcolour\ufffd[0m, a \ufffd and a \ufffd <tag> & more"
