"""Shards of a run, or runs on several machines, as one document."""

from __future__ import annotations

import msgspec
import pytest

from xentfuzz.errors import RecordError
from xentfuzz.reports.merge import merged


def test_one_document_stays_as_it_is(samples, document):
    made = document(samples.run_events())
    assert merged([made]) is made


def test_cases_are_added_and_the_worst_of_each_check_is_kept(samples, document):
    better, worse = samples.passing(), samples.failing()
    worse.checks[1].worst_ratio, worse.checks[1].worst_ulp = 0.99, 1.9
    together = merged([document(samples.check_events(report)) for report in (better, worse)])
    (report,) = together.reports
    value = next(entry for entry in report.checks if (entry.check, entry.dtype) == ("value", "float32"))
    assert (value.cases, value.unsupported, value.worst_ratio, value.worst_ulp) == (500, 24, 0.99, 1.9)
    assert not report.ok
    assert [failure.check for failure in report.failures] == ["gradient"]
    assert report.policies == {"mean over no rows": {"NaN": 24}}
    assert report.unsupported == {"takes index targets only": 40, "rank 1": 8}
    assert report.cases == 600
    assert together.seconds == 3.0


def test_a_check_that_failed_anywhere_failed(samples, document):
    failed, passed = samples.passing(), samples.passing()
    failed.checks[0].status = "failed"
    for order in ([failed, passed], [passed, failed]):
        (report,) = merged([document(samples.check_events(each)) for each in order]).reports
        assert [entry.status for entry in report.checks[:2]] == ["failed", "passed"]


def test_failures_that_say_the_same_are_listed_once(samples, document):
    (report,) = merged([document(samples.check_events(samples.failing())) for _ in range(3)]).reports
    assert len(report.failures) == 1


def test_reports_of_different_implementations_stand_side_by_side(samples, document):
    together = merged([document(samples.check_events(samples.passing(name))) for name in ("alpha", "beta")])
    assert [report.implementation for report in together.reports] == ["alpha", "beta"]


def test_what_differs_between_machines_is_listed(samples, document):
    first, second = (document(samples.check_events(samples.passing())) for _ in range(2))
    first.environment, second.environment = {"cpu": "one", "system": "Linux"}, {"cpu": "two", "system": "Linux"}
    second.seed = 8
    together = merged([first, second])
    assert together.environment == {"cpu": ["one", "two"], "system": "Linux"}
    assert together.seed is None


def test_a_stricter_grade_must_hold_everywhere(samples, document):
    reports = [samples.passing(stricter_grade="shift/any"), samples.passing()]
    (report,) = merged([document(samples.check_events(each)) for each in reports]).reports
    assert report.stricter_grade is None


def test_times_of_different_runs_are_not_compared(samples, document):
    timed = msgspec.structs.replace(document(samples.check_events(samples.passing())), benchmark={"rows": []})
    assert merged([timed, document(samples.run_events())]).benchmark == {"rows": []}
    with pytest.raises(RecordError, match="several of the files hold benchmarks"):
        merged([timed, timed])


def test_what_shards_compared_together_is_the_extent(samples, document):
    first, second = samples.passing(), samples.passing()
    first.extent = {"share": 0.333, "compared": ["float32"], "not_taken": ["rank 1"], "not_compared": ["rank 2"], "words": "nothing"}
    second.extent = {"share": 0.333, "compared": ["rank 2"], "not_taken": ["rank 1"], "not_compared": ["float32"], "words": "nothing"}
    (report,) = merged([document(samples.check_events(each)) for each in (second, first)]).reports
    wanted = {"share": 0.667, "compared": ["float32", "rank 2"], "not_taken": ["rank 1"], "not_compared": []}
    assert report.extent == wanted | {"words": "matrices of float32"}
