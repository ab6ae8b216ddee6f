"""Checks of what a call does around itself: other threads, and the state of the process."""

from __future__ import annotations

from typing import Any

from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.compare import compare
from xentfuzz.checks.protocol import (
    Results,
    first_difference,
    functions_of,
    on_case,
    other_values,
    perform,
    plain,
    protocol_outcome,
    taller,
)
from xentfuzz.checks.trial import Trial, unwrap
from xentfuzz.failures.failure import failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations.case import Case
from xentfuzz.subjects.capabilities import Capabilities

# Enough work that NumPy and torch let other threads run meanwhile.
MANY_ELEMENTS = 1 << 13
THREAD_SECONDS = 0.1
THREADS = 4


def thread_safe(trial: Trial) -> Measure:
    case = plain(trial.case)
    case = taller(case, MANY_ELEMENTS) or case
    functions = functions_of(trial)[:2]
    steps = [(functions[number % len(functions)], (case, other_values(trial, case))[number // 2]) for number in range(THREADS)]
    found = perform(trial, "threads", steps, seconds=60.0, duration=THREAD_SECONDS)
    number = int(found["step"])
    if number < 0:
        return Measure()
    function, given = steps[number]
    if found["error"]:
        message = f"{function} raises only when {THREADS} threads call at once: {found['error']}"
        raise failure("thread_unsafe", message, function=function, calls=tuple(steps))
    output = str(found["output"])
    if not trial.subject.implementation.deterministic and _right(trial, given, output, found["together"]):
        return Measure()
    difference = first_difference({output: found["alone"]}, {output: found["together"]})
    words = difference[1] if difference else ""
    message = f"{function}: {output} is another when {THREADS} threads call at once: {words} (after {found['calls']} calls)"
    raise failure("thread_unsafe", message, function=function, output=output, calls=tuple(steps))


def _right(trial: Trial, case: Case, output: str, result: Any) -> bool:
    dtype = trial.wanted_dtype(output)
    return compare(result, on_case(trial, case).evaluation, output, trial.grade, dtype).ok


def threads_apply(_: Capabilities, implementation: Implementation) -> str | None:
    if not implementation.thread_safe:
        return "declared thread_safe=False"
    return "a simulator runs one kernel at a time" if implementation.simulator else None


def leaves_surroundings_alone(trial: Trial) -> Measure:
    case = plain(trial.case)
    for function in functions_of(trial):
        _left_alone(trial, function, case)
    return Measure()


def _left_alone(trial: Trial, function: str, case: Case) -> None:
    outcome = protocol_outcome(trial, "surroundings", [(function, case)])
    found = unwrap(outcome, function, layout_refused=False)
    for words in _findings(found):
        raise failure("global_state", f"{function} {words}", function=function)


def _findings(found: Results) -> list[str]:
    changed = [f"changes {line}" for line in str(found["changed"] or found["since_loading"]).splitlines()]
    printed = str(found["printed"]).strip()
    return [*changed, *([f"prints to standard output: {printed.splitlines()[0][:200]!r}"] if printed else [])]


THREAD_SAFE = f"""Calls from {THREADS} threads at once, each with its own data, give the bits that they give alone.

The calls are repeated for a tenth of a second while Python changes threads as often as it can."""
SURROUNDINGS = """A call leaves the process as it was: NumPy's error state and random state, torch's default dtype, gradient mode, number of
threads and random state, the current directory, environment variables, warning filters, open files; and it prints nothing to standard
output.

Compared before and after a call that is not the first one, as libraries may open files and import modules on first use. What only the
first call changes is seen where no import could have done it."""

CHECKS = (
    Check("thread_safe", "ordinary", thread_safe, THREAD_SAFE, applies=threads_apply, cost="costly"),
    Check("leaves_surroundings_alone", "ordinary", leaves_surroundings_alone, SURROUNDINGS, cost="protocol"),
)
