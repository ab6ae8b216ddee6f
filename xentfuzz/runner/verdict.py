"""What a contestant's results amount to: statuses, expected failures, what was not compared, the grade that could be declared."""

from __future__ import annotations

from dataclasses import replace

from xentfuzz.checks.check import Check
from xentfuzz.checks.registry import find_check
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.errors import UsageError
from xentfuzz.failures.expected import Expectations
from xentfuzz.failures.failure import WRONG_NUMBERS, Failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations.grades import LADDER
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.runner.contestant import Contestant
from xentfuzz.runner.coverage import never_compared, sizes_met
from xentfuzz.runner.examine import examine
from xentfuzz.runner.extent import extent_of
from xentfuzz.runner.profiles import Profile, smallest_profile_with
from xentfuzz.runner.required import missing_features
from xentfuzz.runner.results import CheckReport, CheckResult
from xentfuzz.runner.settings import Settings
from xentfuzz.subjects.as_declared import with_declaration
from xentfuzz.subjects.assumed_grade import grade_notes
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.metered import OUT_OF_TIME


def finished_report(contestant: Contestant, failures: list[Failure], settings: Settings) -> CheckReport:
    """The report of one contestant, its expected failures told from the others."""
    implementation = contestant.subject.implementation
    for error in contestant.subject.capabilities.harness_errors:
        contestant.errors.add(error)
    report = CheckReport(
        implementation=implementation.name,
        operation=contestant.operation.name,
        grade=grade_text(implementation),
        card=replace(contestant.subject.capabilities, errors=contestant.beside_plain.words()),
        beside_plain=contestant.beside_plain.table(),
        measured=contestant.measured.to_dict(),
        seed=settings.seed,
        failures=failures,
        policies={policy: dict(outcomes) for policy, outcomes in sorted(contestant.policies.items())},
        notes=[*contestant.notes, *sorted(contestant.subject.notices), *grade_notes(implementation), *_recording_notes(contestant)],
        unsupported=dict(contestant.unsupported.most_common()),
        cases=contestant.tried,
        seconds=contestant.seconds,
        cut_short=_cut_short(contestant, settings),
        explained_by=contestant.explained_by,
        sizes=sizes_met(contestant.subject.capabilities, contestant.sizes),
        target=settings.targets.get((implementation.name, contestant.operation.name), ""),
    )
    report.checks = _results(contestant, settings)
    report.extent = extent_of(contestant, report.checks)
    with contestant.errors.kept("making the report"):
        report.problems = [
            *_problems(contestant, report),
            *_never_compared(contestant, settings, report),
            *_not_seen_again(contestant, report),
            *_recordings_left_out(contestant, settings),
            *missing_features(contestant, settings.require),
        ]
    if settings.expected is not None:
        with contestant.errors.kept("judging what was expected"):
            _judge_expectations(contestant, report, settings.expected)
    if not report.failures:
        report.notes += contestant.beside_plain.notes()
    report.stricter_grade = None if report.unexpected or contestant.errors.errors else _stricter_grade(contestant)
    report.card = with_declaration(implementation, report.card, _grade_met(implementation, report.stricter_grade))
    report.errors = contestant.errors.errors
    return report


def _cut_short(contestant: Contestant, settings: Settings) -> str:
    if contestant.gave_up or contestant.interrupted:
        return contestant.gave_up or "interrupted"
    if not contestant.is_over:
        return ""
    return (
        f"{settings.profile.name}'s {settings.profile.seconds:g} s used up"
        if settings.budget is None
        else f"budget of {settings.budget:g} s used up"
    )


def _judge_expectations(contestant: Contestant, report: CheckReport, expected: Expectations) -> None:
    """Enter which failures were expected, and the expectations that hold no longer."""

    def replay(name: str, recipe: Recipe) -> Failure | None:
        verdict = examine(contestant, find_check(name), recipe)
        if verdict is None:
            raise UsageError(f"{contestant.name} does not take the case of the expectation")
        return verdict if isinstance(verdict, Failure) else None

    ran = {(result.check, result.dtype) for result in report.checks if result.cases or result.status == "failed"}
    judgement = expected.judge(contestant.name, contestant.operation.name, ran, report.failures, replay)
    report.expected = dict(judgement.reasons)
    seen = {(report.failures[index].check, reason) for index, reason in report.expected.items()}
    for failure, reason in judgement.replayed:
        if (failure.check, reason) not in seen:
            report.expected[len(report.failures)] = reason
            report.failures.append(failure)
    report.problems += judgement.problems
    _mark_expected(report)


def _mark_expected(report: CheckReport) -> None:
    """A check is expected to fail where only expected failures were seen in it."""
    unexpected = {(failure.check, dtype) for failure in report.unexpected for dtype in (failure.dtype, *failure.dtypes)}
    expected = {(report.failures[index].check, report.failures[index].dtype) for index in report.expected}
    for result in report.checks:
        pair = (result.check, result.dtype)
        if pair in expected and pair not in unexpected:
            result.status = "expected"


def grade_text(implementation: Implementation) -> str:
    """The declared grade as reports print it, by dtype where it differs."""
    if isinstance(implementation.grade, str):
        return implementation.grade
    return ", ".join(f"{dtype}: {implementation.grade_for(dtype)}" for dtype in FLOAT_NAMES)


def _stricter_grade(contestant: Contestant) -> str | None:
    """The strictest grade that everything compared has met where that is more than is declared; by dtype where it differs."""
    implementation = contestant.subject.implementation
    if implementation.simulator:  # its cases are too small to tell one grade from another
        return None
    met = {
        dtype: contestant.stricter[dtype].met
        for dtype in FLOAT_NAMES
        if dtype in contestant.stricter and contestant.stricter[dtype].compared
    }
    everywhere = [grade for grade in LADDER if met and all(grade in grades for grades in met.values())]
    if everywhere and isinstance(implementation.grade, str):
        return str(everywhere[0])
    return ", ".join(f"{dtype}: {grades[0]}" for dtype, grades in met.items() if grades) or None


def _grade_met(implementation: Implementation, stricter: str | None) -> str | dict[str, str] | None:
    """What a declaration could promise beyond its own grade: a text, or by dtype; None where it is no more."""
    if stricter is None or ": " not in stricter:
        return stricter
    return {dtype: implementation.grade_for(dtype) for dtype in FLOAT_NAMES} | dict(part.split(": ") for part in stricter.split(", "))


def _results(contestant: Contestant, settings: Settings) -> list[CheckResult]:
    results = []
    for check in contestant.checks:
        for dtype in settings.dtypes or FLOAT_NAMES:
            result = contestant.result(check, dtype)
            _settle(result, contestant, check, settings.profile)
            results.append(result)
    for name, reason in contestant.not_applicable.items():
        results += [CheckResult(name, dtype, "unsupported", reason=reason) for dtype in settings.dtypes or FLOAT_NAMES]
    return results


def _settle(result: CheckResult, contestant: Contestant, check: Check, profile: Profile) -> None:
    """The status of a check that did not fail: passed only where something was compared."""
    if result.status == "failed":
        return
    if result.errors:
        result.status, result.reason = "error", f"xentfuzz itself failed on {result.errors} of its cases"
        return
    capabilities = contestant.subject.capabilities
    passed_over = check.passes_over(result.dtype, capabilities)
    if result.cases:
        result.status = "passed"
    elif not capabilities.dtypes:
        result.status, result.reason = "unsupported", "every call was refused"
    elif result.dtype not in capabilities.dtypes:
        result.status, result.reason = "unsupported", f"does not take {result.dtype}"
    elif passed_over is not None:
        result.status, result.reason = "unsupported", passed_over
    elif (left := _left_for_time(result, contestant)) is not None:
        result.reason = left
    elif result.unsupported and not _ended_early(result, contestant):
        result.status, result.reason = "unsupported", "no case that it takes could be compared"
    else:
        result.reason = _why_untried(check, profile, contestant)


def _why_untried(check: Check, profile: Profile, contestant: Contestant) -> str:
    cost = check.cost_on(contestant.subject.capabilities.device)
    if profile.most.get(cost) == 0:
        return f"left to --profile {smallest_profile_with(cost)}"
    gave_up = contestant.gave_up_on(hazardous=check.hazardous)
    if gave_up:
        return gave_up
    return OUT_OF_TIME if contestant.is_over else "nothing was tried"


def _ended_early(result: CheckResult, contestant: Contestant) -> bool:
    """Whether the time was used up before a case that it takes came along, as some did in other dtypes."""
    alike = [other for (name, _), other in contestant.results.items() if name == result.check]
    return contestant.is_over and any(other.cases for other in alike)


def _left_for_time(result: CheckResult, contestant: Contestant) -> str | None:
    """Why a case that could have been compared was left, where time was the reason."""
    return next((reason for reason, left in contestant.unaffordable.items() if left[result.check, result.dtype]), None)


def _never_compared(contestant: Contestant, settings: Settings, report: CheckReport) -> list[str]:
    """Only where a whole profile was run: a part of it leaves out more than the implementation does, and so does a first failure."""
    implementation = contestant.subject.implementation
    limits = (settings.checks, settings.dtypes, settings.examples, report.cut_short or None)
    if implementation.simulator or any(limit is not None for limit in limits):
        return []
    kinds = never_compared(implementation, contestant.subject.capabilities, contestant.compared)
    return [f"declared, but nothing with it was compared: {kind}" for kind in kinds]


def _not_seen_again(contestant: Contestant, report: CheckReport) -> list[str]:
    """What the probe saw fail, by no refusal, where no check met it: it passes no run untold."""
    if any(failure.kind not in WRONG_NUMBERS for failure in report.failures):
        return []
    return [f"failed once, in the probe, and was not met again: {line}" for line in contestant.subject.capabilities.doubtful]


def _problems(contestant: Contestant, report: CheckReport) -> list[str]:
    """What makes the run itself worthless: a declared dtype of which nothing was compared, or nothing at all."""
    problems = []
    capabilities = contestant.subject.capabilities
    if not any(result.cases for result in report.checks):
        problems.append(f"nothing could be compared{_refusals(capabilities)}")
    elsewhere = {check.name: check.passes_over for check in contestant.checks}
    for dtype in () if report.cut_short else capabilities.dtypes:
        tried = [
            result
            for result in report.checks
            if result.dtype == dtype
            and result.status != "not_run"
            and (result.check not in elsewhere or elsewhere[result.check](dtype, capabilities) is None)
        ]
        if tried and not any(result.cases for result in tried):
            problems.append(f"nothing was compared in {dtype}, which it takes")
    return [*problems, *_gradient_problems(contestant, report)]


def _gradient_problems(contestant: Contestant, report: CheckReport) -> list[str]:
    """A gradient that is given, was tried, and refused in every call: it passes no run untold."""
    capabilities = contestant.subject.capabilities
    cases = {name: [one.cases for one in report.checks if one.check == name and one.status != "not_run"] for name in ("value", "gradient")}
    if report.cut_short or not (capabilities.gradients and cases["gradient"]) or any(cases["gradient"]) or not any(cases["value"]):
        return []
    why = next((f": it {line}" for line in capabilities.rejections if line.startswith("rejects backward")), "")
    return [f'no gradient was compared, of all cases{why}; where it has none, declare supports={{"gradients": ()}}']


def _recording_notes(contestant: Contestant) -> list[str]:
    """What was compared of recorded inputs, and what was not."""
    compared = [f"{recording.name} ({recording.cases} cases)" for recording in contestant.recordings if recording.cases]
    left_out = [f"{one.name} ({'; '.join(one.left_out)})" for one in contestant.recordings if one.left_out]
    lines = {"recorded input compared": compared, "recorded input left out": left_out}
    return [f"{words}: {', '.join(names)}" for words, names in lines.items() if names]


def _recordings_left_out(contestant: Contestant, settings: Settings) -> list[str]:
    """What a user gave, and nobody compared, is a problem; the recordings that every run includes need not fit."""
    if settings.kind != "check" or contestant.gave_up:
        return []
    return [
        f"nothing of the recorded input {recording.name} could be compared" for recording in contestant.recordings if not recording.cases
    ]


def _refusals(capabilities: Capabilities) -> str:
    """Why every call of the probe was refused, "" where one was not."""
    refusals = [line for line in capabilities.rejections if line.startswith("rejects ")]
    return f": it {'; '.join(refusals)}" if refusals and not capabilities.dtypes else ""
