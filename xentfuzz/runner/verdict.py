"""What a contestant's results amount to: statuses, expected failures, what was not compared, the grade that could be declared."""

from __future__ import annotations

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.failures.failure import Failure
from xentfuzz.implementation import Implementation
from xentfuzz.runner.contestant import Contestant, Deadline
from xentfuzz.runner.results import CheckReport, CheckResult
from xentfuzz.runner.settings import Settings


def finished_report(contestant: Contestant, failures: list[Failure], settings: Settings, deadline: Deadline) -> CheckReport:
    """The report of one contestant."""
    implementation = contestant.subject.implementation
    report = CheckReport(
        implementation=implementation.name,
        operation=contestant.operation.name,
        grade=grade_text(implementation),
        card=contestant.subject.capabilities,
        seed=settings.seed,
        failures=failures,
        policies={policy: dict(outcomes) for policy, outcomes in sorted(contestant.policies.items())},
        unsupported=dict(contestant.unsupported.most_common()),
        seconds=contestant.seconds,
        cut_short=contestant.gave_up or (f"budget of {settings.budget:g} s used up" if deadline.passed else ""),
    )
    report.checks = _results(contestant, settings)
    report.problems = _problems(contestant, report)
    return report


def grade_text(implementation: Implementation) -> str:
    """The declared grade as reports print it, by dtype where it differs."""
    if isinstance(implementation.grade, str):
        return implementation.grade
    return ", ".join(f"{dtype}: {implementation.grade_for(dtype)}" for dtype in FLOAT_NAMES)


def _results(contestant: Contestant, settings: Settings) -> list[CheckResult]:
    results = []
    for check in contestant.checks:
        for dtype in settings.dtypes or FLOAT_NAMES:
            result = contestant.result(check, dtype)
            _settle(result, contestant)
            results.append(result)
    for name, reason in contestant.not_applicable.items():
        results += [CheckResult(name, dtype, "unsupported", reason=reason) for dtype in settings.dtypes or FLOAT_NAMES]
    return results


def _settle(result: CheckResult, contestant: Contestant) -> None:
    """The status of a check that did not fail: passed only where something was compared."""
    if result.status == "failed":
        return
    if result.cases:
        result.status = "passed"
    elif result.dtype not in contestant.subject.capabilities.dtypes:
        result.status, result.reason = "unsupported", f"does not take {result.dtype}"
    elif result.unsupported:
        result.status, result.reason = "unsupported", "no case that it takes could be compared"
    else:
        result.reason = "nothing was tried"


def _problems(contestant: Contestant, report: CheckReport) -> list[str]:
    """What makes the run itself worthless: a declared dtype of which nothing was compared, or nothing at all."""
    problems = []
    if not any(result.cases for result in report.checks):
        problems.append("nothing could be compared")
    for dtype in contestant.subject.capabilities.dtypes:
        tried = [result for result in report.checks if result.dtype == dtype and result.reason != "nothing was tried"]
        if tried and not any(result.cases for result in tried):
            problems.append(f"nothing was compared in {dtype}, which it takes")
    return problems
