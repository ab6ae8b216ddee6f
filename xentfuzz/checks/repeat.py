"""Checks of calls one after the other: the same call again, and calls that must not depend on earlier ones."""

from __future__ import annotations

from collections.abc import Iterator

from xentfuzz.checks.bits import first_difference
from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.derived_cases import of_dtype, other_reductions, other_values, plain, taller, with_many_rows
from xentfuzz.checks.protocol import Results, functions_of, on_case, results_of
from xentfuzz.checks.results import gradient, value, value_and_grad
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.failures.failure import CRASH_KINDS, WRONG_NUMBERS, Failure, failure
from xentfuzz.operations.case import Case

JUDGES = {"forward": value, "backward": gradient, "value_and_grad": value_and_grad}

# Enough rows for the parallel path of a kernel that has one.
MANY_ELEMENTS = 1 << 14
TIMES = 2


def repeatable(trial: Trial) -> Measure:
    for case in (trial.case, with_many_rows(trial, plain(trial.case), MANY_ELEMENTS)):
        if case is not None:
            for function in functions_of(trial):
                _repeated(trial, function, case)
    return Measure()


def _repeated(trial: Trial, function: str, case: Case) -> None:
    first = trial.results(function) if case is trial.case else results_of(trial, function, case)
    if not trial.subject.implementation.deterministic:
        # Every other call stays within the bound, too, but at a size at which exact results are cheap.
        if case is trial.case:
            _within_bound(trial, function, case, "the same call again")
        return
    for _ in range(TIMES - 1):
        difference = first_difference(first, results_of(trial, function, case))
        if difference is not None:
            output, words = difference
            message = f"{function}: the same call gave another {output}: {words}; declare deterministic=False where that is by design"
            raise failure("nondeterministic", message, function=function, output=output, calls=((function, case),))


def _within_bound(trial: Trial, function: str, case: Case, when: str) -> None:
    try:
        JUDGES[function](on_case(trial, case))
    except Failure as found:
        if found.kind not in WRONG_NUMBERS:
            raise
        raise failure("nondeterministic", f"{when} is outside the bound: {found.message}", **found.details) from None


def no_memory_of_earlier_calls(trial: Trial) -> Measure:
    case = plain(trial.case)
    first = {function: results_of(trial, function, case) for function in functions_of(trial)}
    told = [_judged_after(trial, function, case, other_values(trial, case)) for function in functions_of(trial)]
    for reduced in other_reductions(trial, case):
        results_of(trial, "forward", reduced)
        told.append(_judged_after(trial, "forward", reduced, other_values(trial, reduced)))
    for disturbance, words in _disturbances(trial, case):
        for function in functions_of(trial):
            results_of(trial, function, disturbance)
        _same_as_before(trial, case, first, disturbance, words)
    if not all(told):
        raise Unsupported(f"results are wrong, and {MOST_WRONG_ALONE} others were as wrong in a fresh worker")
    return Measure()


def _judged_after(trial: Trial, function: str, before: Case, case: Case) -> bool:
    """Hold a call against its own exact result; one that is right in a worker that has seen nothing else was spoilt by a call before it.

    False where a result is wrong and too many were as wrong in a fresh worker to start another one for it.
    """
    try:
        JUDGES[function](on_case(trial, case))
    except Failure as found:
        if found.kind in CRASH_KINDS or not trial.subject.isolated:
            raise
        if trial.wrong_alone is not None and trial.wrong_alone.total() >= MOST_WRONG_ALONE:
            return False
        if _right_alone(trial, function, case):
            message = f"after a call of the same shape with other data, {found.message}"
            raise failure("stale_state", message, calls=((function, before), (function, case)), **found.details) from None
    return True


# What is wrong everywhere would get two workers for every case of it.
MOST_WRONG_ALONE = 3


def _is_right(trial: Trial, function: str, case: Case) -> bool:
    try:
        JUDGES[function](on_case(trial, case))
    except Failure:
        return False
    return True


def _right_alone(trial: Trial, function: str, case: Case) -> bool:
    trial.subject.close()
    right = _is_right(trial, function, case)
    # What that call left behind would spoil the next case of the same shape.
    trial.subject.close()
    if trial.wrong_alone is not None:
        trial.wrong_alone[function] += not right
    return right


def _disturbances(trial: Trial, case: Case) -> Iterator[tuple[Case, str]]:
    yield other_values(trial, case), "a call with other data"
    size = next(iter(case.values.values())).size
    grown = taller(case, 3 * size, trial.subject.capabilities.largest_row_count)
    if grown is not None:
        yield grown, "a larger call"
    others = [dtype for dtype in trial.subject.capabilities.dtypes if dtype != case.dtype]
    if others:
        yield of_dtype(case, others[0]), f"a call in {others[0]}"


def _same_as_before(trial: Trial, case: Case, first: dict[str, Results], disturbance: Case, words: str) -> None:
    """Backward comes first, without its forward; then everything twice."""
    for function in (*reversed(first), *first):
        again = results_of(trial, function, case)
        difference = first_difference(first[function], again)
        if difference is None:
            continue
        if not trial.subject.implementation.deterministic or first_difference(again, results_of(trial, function, case)) is not None:
            # Not the earlier call's doing; another check looks at that.
            continue
        output, how = difference
        trial.subject.close()
        calls = ((function, disturbance), (function, case))
        raise failure(
            "stale_state", f"{function}: after {words}, {output} is another: {how}", function=function, output=output, calls=calls
        )


REPEATABLE = """The same call gives the same bits each time, for the case itself and for one with many rows.

Where deterministic=False is declared, every result stays within the bound instead. Results that change from run to run can't be debugged,
and often come from a race or from memory that was never written."""
NO_MEMORY = """No call depends on an earlier one: not on other data, labels, weights or reduction of the same shape, not on a larger call
or another dtype before it, not on whether forward ran before backward or backward ran twice.

Denominators cached by shape, scratch buffers that are not cleared and gradients scaled in place are seen by this. A result that is wrong
is put down to the earlier call only where it is right in a fresh worker."""

CHECKS = (
    Check("repeatable", "ordinary", repeatable, REPEATABLE, cost="protocol"),
    Check("no_memory_of_earlier_calls", "ordinary", no_memory_of_earlier_calls, NO_MEMORY, cost="protocol"),
)
