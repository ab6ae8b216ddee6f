"""Whether calls from several threads at once disturb each other."""

from __future__ import annotations

from typing import Any

from xentfuzz.checks.bits import first_difference
from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.compare import compare
from xentfuzz.checks.derived_cases import other_values, plain, with_many_rows
from xentfuzz.checks.protocol import functions_of, on_case, perform
from xentfuzz.checks.trial import Trial
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
    case = with_many_rows(trial, case, MANY_ELEMENTS) or case
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
    if difference is None:
        return Measure()
    message = f"{function}: {output} is another when {THREADS} threads call at once: {difference[1]} (after {found['calls']} calls)"
    raise failure("thread_unsafe", message, function=function, output=output, calls=tuple(steps))


def _right(trial: Trial, case: Case, output: str, result: Any) -> bool:
    dtype = trial.wanted_dtype(output)
    return compare(result, on_case(trial, case).evaluation, output, trial.grade, dtype).ok


def threads_apply(_: Capabilities, implementation: Implementation) -> str | None:
    if not implementation.thread_safe:
        return "declared thread_safe=False"
    return "a simulator runs one kernel at a time" if implementation.simulator else None


THREAD_SAFE = f"""Calls from {THREADS} threads at once, each with its own data, give the bits that they give alone.

The calls are repeated for a tenth of a second while Python changes threads as often as it can."""

CHECKS = (Check("thread_safe", "ordinary", thread_safe, THREAD_SAFE, applies=threads_apply, cost="costly"),)
