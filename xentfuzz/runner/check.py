"""Run checks: open the subjects, draw the corpora, search, shrink, report. Everything a person sees listens to the events."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.registry import checks_for, find_check
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.errors import InternalError, UsageError, XentfuzzError
from xentfuzz.failures.expected import Expectations, expectations
from xentfuzz.failures.failure import Failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.runner.agreement import Agreement
from xentfuzz.runner.contestant import Contestant, errors_kept
from xentfuzz.runner.corpus import Plan
from xentfuzz.runner.deadline import CRASHES, GAUGING, ONE_CALL, Deadline
from xentfuzz.runner.directed import directed_search
from xentfuzz.runner.events import (
    AgreementMeasured,
    CheckFinished,
    FailureFound,
    Listener,
    Progress,
    RunFinished,
    RunStarted,
    SubjectFinished,
    SubjectStarted,
    SubjectUnavailable,
)
from xentfuzz.runner.examine import Excluded, examine, refused
from xentfuzz.runner.findings import findings
from xentfuzz.runner.gauge import gauge
from xentfuzz.runner.interruption import Interruption, interrupted_only_inside
from xentfuzz.runner.pool import Pool, require_distinct
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.real_input import run_recorded
from xentfuzz.runner.remember import store_failures, try_stored
from xentfuzz.runner.results import CheckReport
from xentfuzz.runner.settings import Settings, choose_seed, require_sensible
from xentfuzz.runner.smallest import Effort
from xentfuzz.runner.streams import run_corpora
from xentfuzz.runner.verdict import finished_report
from xentfuzz.subjects.clock import CLOCK
from xentfuzz.subjects.metered import Allowance
from xentfuzz.subjects.subject import Subject
from xentfuzz.worker.control_word import plain_inside

# A progress event for every case would cost more than a small case does.
PROGRESS_SECONDS = 0.1


def check(
    implementation: Implementation | str | Any,
    *,
    profile: str = "default",
    max_examples: int | None = None,
    budget: float | None = None,
    seed: int | None = None,
    isolate: bool | None = None,
    checks: Sequence[str] | None = None,
    expected_failures: str | Sequence[dict[str, Any]] | None = None,
) -> CheckReport:
    """Check one implementation: an Implementation, a registered name, or a plain forward function.

    max_examples: cases for each (check, dtype); budget: seconds; seed: None for a fresh one; isolate: None for the default of its
    declaration; checks: names; expected_failures: a TOML path or a list of its tables, beside those that come with xentfuzz. Raises
    UsageError for what cannot be run.
    """
    from xentfuzz.subjects.target import resolve  # noqa: PLC0415

    require_sensible(max_examples, budget, seed, checks)
    settings = Settings(
        kind="check",
        profile=get_profile(profile),
        seed=choose_seed(seed),
        examples=max_examples,
        budget=budget,
        isolate=isolate,
        checks=None if checks is None else tuple(checks),
        expected=expectations(expected_failures),
    )
    return run_checks([resolve(implementation, isolate=isolate is not False)], settings)[0]


def run_checks(implementations: Sequence[Implementation], settings: Settings) -> list[CheckReport]:
    """One report for each implementation that could be opened, operation by operation, on common corpora.

    A KeyboardInterrupt ends the run early: what was found until then is shrunk and reported, and RunFinished says so. Another one ends the
    shrinking too, and so does SIGTERM as the first one.
    """
    for name in settings.checks or ():
        find_check(name)
    require_distinct(implementations)
    trying, finishing = Interruption(), Interruption()
    with interrupted_only_inside(trying, finishing), plain_inside():
        return _run(implementations, settings, trying, finishing)


def _run(implementations: Sequence[Implementation], settings: Settings, trying: Interruption, finishing: Interruption) -> list[CheckReport]:
    began = time.monotonic()
    deadline = Deadline.after(settings.budget)
    most = settings.profile.seconds * len(implementations) if settings.budget is None else settings.budget
    settings.emit(RunStarted(settings.kind, settings.seed, settings.profile.name, len(implementations), most))
    reports: list[CheckReport] = []
    left = len(implementations)
    with Pool(settings.isolate, settings.seconds(deadline, len(implementations))) as pool:
        for operation in dict.fromkeys(implementation.operation for implementation in implementations):
            if finishing.happened:
                break
            group = [implementation for implementation in implementations if implementation.operation == operation]
            pool.seconds = settings.seconds(deadline, left)
            left -= len(group)
            contestants: list[Contestant] = []
            broken = None
            with trying:
                try:
                    contestants += _open(pool, group, settings, alone=len(implementations) == 1)
                    _run_operation(operation, contestants, settings, deadline)
                except XentfuzzError as error:  # what was found before is reported first
                    broken = error
            finishing.happened |= trying.in_a_hurry
            _mark_interrupted(contestants, trying)
            reports += [_finish(contestant, settings, finishing) for contestant in contestants]
            if broken is not None:
                raise broken
            if trying.happened:
                break
    settings.emit(RunFinished(time.monotonic() - began, trying.happened or finishing.happened))
    return reports


def _mark_interrupted(contestants: Sequence[Contestant], by: Interruption) -> None:
    for contestant in contestants:
        contestant.interrupted |= by.happened


def run_one(
    implementation: Implementation,
    check_name: str,
    dtype: str,
    *,
    profile: str = "default",
    seed: int | None = None,
    isolate: bool | None = None,
    expected: Expectations | None = None,
    listeners: Sequence[Listener] = (),
    known: Sequence[Failure] = (),
) -> CheckReport:
    """One check on one dtype, as a pytest test runs it; its failures are those whose cause none of `known` has.

    Raises InternalError where xentfuzz itself failed and found nothing.
    """
    settings = Settings(
        "check",
        get_profile(profile),
        choose_seed(seed),
        isolate=isolate,
        checks=(check_name,),
        dtypes=(dtype,),
        expected=expected,
        listeners=listeners,
        known=known,
    )
    report = run_checks([implementation], settings)[0]
    if report.errors and not report.unexpected:
        raise InternalError(f"{report.errors[0].error}\n{report.errors[0].traceback}")
    return report


def run_recipe(implementation: Implementation, check_name: str | None, recipe: Recipe, *, isolate: bool | None = None) -> Failure | None:
    """One check, or for None every check of what the case gives, on one recipe, as replay runs it; the first Failure, or None.

    Raises UsageError where the implementation cannot run the case.
    """
    checks = _of_results(implementation.operation) if check_name is None else (find_check(check_name),)
    with plain_inside(), Pool(isolate) as pool:
        contestant = _contestant(pool, implementation, checks)
        verdicts = [examine(contestant, check, recipe) for check in contestant.checks]
        failures = [verdict for verdict in verdicts if isinstance(verdict, Failure)]
    if contestant.errors.errors and not failures:
        first = contestant.errors.errors[0]
        raise InternalError(f"{first.error} ({first.doing}, {first.check})")
    if not any(isinstance(verdict, Failure) or (isinstance(verdict, Measure) and verdict.compared) for verdict in verdicts):
        reasons = dict.fromkeys([*contestant.unsupported, *_refusals(contestant, recipe), *contestant.not_applicable.values()])
        raise UsageError(f"{implementation.name} does not take this case: {', '.join(reasons) or 'nothing to compare'}")
    return failures[0] if failures else None


def _of_results(operation: str) -> tuple[Check, ...]:
    """Without those that make other, invalid or very large cases of it: what they find would be no finding about this one."""
    return tuple(check for check in checks_for(operation) if check.cost in ("call", "relation") and not check.hazardous)


def _refusals(contestant: Contestant, recipe: Recipe) -> list[str]:
    reason = refused(contestant, recipe, expand(recipe))
    return [] if reason is None else [reason]


def _open(pool: Pool, implementations: Sequence[Implementation], settings: Settings, *, alone: bool) -> list[Contestant]:
    """The contestants that can run here; for a single target a reason against it is the user's error, in a larger run an event."""
    contestants = []
    for implementation in implementations:
        try:
            contestant = _contestant(pool, implementation, _selected(implementation.operation, settings))
        except XentfuzzError as error:
            if alone:
                raise
            settings.emit(SubjectUnavailable(implementation.name, implementation.operation, str(error)))
        else:
            contestant.first_failure = settings.first_failure
            _prepare(contestant, settings)
            settings.emit(SubjectStarted(contestant.name, implementation.operation, contestant.subject.capabilities))
            contestants.append(contestant)
    return contestants


def _prepare(contestant: Contestant, settings: Settings) -> None:
    """What its calls may take, and what they do take."""
    dtypes = contestant.subject.capabilities.dtypes
    contestant.planned = settings.profile.calls * len(dtypes)
    one_call = ONE_CALL * contestant.allowed
    if math.isfinite(contestant.allowed) and contestant.meter.costs.suspect:
        contestant.meter.allow(Allowance(one_call))
        with contestant.timed():
            contestant.meter.until = CLOCK.now() + GAUGING * contestant.allowed
            gauge(contestant, [dtype for dtype in settings.dtypes or FLOAT_NAMES if dtype in dtypes])
    contestant.meter.allow(Allowance(one_call, CRASHES * contestant.allowed, smaller_after_crash=True))


def _selected(operation: str, settings: Settings) -> tuple[Check, ...]:
    return tuple(check for check in checks_for(operation) if settings.checks is None or check.name in settings.checks)


def _contestant(pool: Pool, implementation: Implementation, checks: Sequence[Check]) -> Contestant:
    began = CLOCK.now()
    subject = pool.open(implementation)
    contestant = Contestant(get_operation(implementation.operation), subject, subject, pool.siblings(implementation), ())
    applicable = []
    for check in checks:
        if not check.concerns(implementation.array):
            continue
        reason = _reason_against(check, subject)
        if reason is None:
            applicable.append(check)
        else:
            contestant.not_applicable[check.name] = reason
    contestant.checks = tuple(applicable)
    contestant.allowed, contestant.seconds = pool.seconds, CLOCK.now() - began
    return contestant


def _reason_against(check: Check, subject: Subject) -> str | None:
    if check.isolated_only and not subject.isolated:
        return "needs a worker of its own (isolate=True)"
    return check.applies(subject.capabilities, subject.implementation)


def _run_operation(operation: str, contestants: list[Contestant], settings: Settings, deadline: Deadline) -> None:
    """Corpora and searches of one operation."""
    plan = Plan(
        get_operation(operation),
        settings.profile,
        settings.seed,
        settings.examples,
        deadline,
        _excluded(settings.expected),
        _progress(settings),
    )
    agreement = Agreement()
    dtypes = settings.dtypes or FLOAT_NAMES
    try:
        for contestant in contestants if settings.stored else ():
            with contestant.errors.kept("trying stored cases"), contestant.timed():
                try_stored(contestant, dtypes, plan.excluded)
        if contestants:
            with errors_kept(contestants, "judging recorded input"):
                run_recorded(plan, contestants, dtypes, settings.recorded)
            with errors_kept(contestants, "running the corpora"):
                run_corpora(plan, contestants, dtypes, agreement)
        for contestant in contestants:
            with contestant.errors.kept("searching"):
                directed_search(plan, contestant, [name for name in dtypes if name in contestant.subject.capabilities.dtypes])
    finally:
        if agreement.pairs:
            settings.emit(AgreementMeasured(operation, {names: pair.to_dict() for names, pair in agreement.pairs.items()}))


def _excluded(expected: Expectations | None) -> Excluded:
    if expected is None:
        return lambda *_: False
    return expected.excludes


def _progress(settings: Settings) -> Callable[[Progress], None]:
    last = 0.0

    def progress(event: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_SECONDS or event.done == event.total:
            last = now
            settings.emit(event)

    return progress


def _require_script(contestant: Contestant, failure: Failure) -> None:
    """Where no script can be written, the place of one says so: the finding is worth more than its script."""
    written = ""
    with contestant.errors.kept("writing a script", failure.check, failure.dtype, failure.recipe):
        written = failure.script()
    failure.unscriptable = "" if written else "xentfuzz failed to write this script; replay the record instead"


def _finish(contestant: Contestant, settings: Settings, interruption: Interruption) -> CheckReport:
    """Shrink and group what was found, judge expectations, and close the report; without the rest of it once the user interrupts."""
    for found in contestant.found.values():
        settings.emit(FailureFound(found.failure, shrunk=False))
    left = contestant.until_findings
    contestant.meter.allow(Allowance(ONE_CALL * contestant.allowed, CRASHES * contestant.allowed), CLOCK.now() + left)
    effort = Effort(settings.profile, Deadline.after(left if settings.shrink else 0.0), interruption)
    failures = [found.failure for found in contestant.found.values()]
    with contestant.errors.kept("making findings of what failed"):
        failures = findings(contestant, effort, lambda failure: settings.emit(FailureFound(failure, shrunk=True)), settings.known)
    for failure in failures:
        _require_script(contestant, failure)
    _mark_interrupted([contestant], interruption)
    report = None
    with interruption:
        report = finished_report(contestant, failures, settings)
    if report is None:
        report = finished_report(contestant, failures, replace(settings, expected=None))
        report.notes.append("interrupted: expected failures are not told from others")
    if settings.stored:
        store_failures(report, contestant.errors)
    for result in report.checks:
        settings.emit(CheckFinished(contestant.name, contestant.operation.name, result))
    settings.emit(SubjectFinished(report))
    return report
