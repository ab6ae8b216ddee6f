"""The identities of an operation, as checks: two ways to one result, each called on the implementation, compared with each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.refusal import refusal
from xentfuzz.checks.results import needs_gradient
from xentfuzz.checks.trial import Array, Trial, Unsupported
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.errors import XentfuzzError
from xentfuzz.failures.failure import failure
from xentfuzz.failures.input_words import array_words
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.relation import Relation
from xentfuzz.recipes.recipe import GRAD_OUTPUT


def identity_checks(operation: str) -> tuple[Check, ...]:
    """One check for each relation that the operation states."""
    return tuple(_check(relation) for relation in get_operation(operation).relations)


def _check(relation: Relation) -> Check:
    applies = needs_gradient if relation.gradient else Check.applies
    return Check(
        relation.name,
        "ordinary",
        _judge(relation),
        relation.explanation,
        applies=applies,
        draws=dict(relation.draws),
        cost=relation.cost,
    )


def _judge(relation: Relation) -> Callable[[Trial], Measure]:
    def judge(trial: Trial) -> Measure:
        if not relation.applies(trial.case):
            return Measure(compared=False)
        calls: list[tuple[str, Case]] = []

        def result(operation: str, case: Case, function: str = "forward", /) -> Array:
            calls.append((function, case))
            return _result(trial, operation, case, function)

        left, right, allowed = relation.judge(trial.case, result, trial.grade)
        return _agreement(relation, left, right, allowed, calls, case=trial.case)

    return judge


def _result(trial: Trial, operation: str, case: Case, function: str) -> Array:
    """The implementation's value or gradient on a derived case. Raises Unsupported where it lacks the operation."""
    try:
        subject = trial.subject if operation == trial.operation.name else trial.siblings.get(operation)
    except XentfuzzError as error:
        raise Unsupported(f"no {operation} of the same name can run here: {error}") from None
    if subject is None:
        raise Unsupported(f"no {operation} of the same name")
    specification = get_operation(operation)
    reason = refusal(case, specification, subject.capabilities)
    if reason is not None:
        raise Unsupported(reason)
    derived = Trial(specification, case, specification.evaluate(case), subject, trial.siblings)
    output = "value" if function == "forward" else f"grad_{specification.arguments[0].name}"
    array, dtype = derived.array(function, output)
    # What has another dtype is the dtype check's finding; here it is what it was meant to be.
    with np.errstate(all="ignore"):
        return array.astype(numpy_dtype(dtype), copy=False)


def _agreement(relation: Relation, left: Array, right: Array, allowed: Array, calls: Sequence[tuple[str, Case]], *, case: Case) -> Measure:
    with np.errstate(all="ignore"):
        difference = np.abs(left.astype(np.float64) - right.astype(np.float64))
        ratio = np.where(difference == 0, 0.0, difference / allowed)
    if not ratio.size:
        return Measure()
    position = int(np.argmax(np.nan_to_num(ratio, nan=np.inf)))
    worst = float(ratio.flat[position])
    if worst <= 1:
        return Measure(ratio=worst)
    got, other, by = float(left.flat[position]), float(right.flat[position]), float(np.asarray(allowed).flat[position])
    index = tuple(int(i) for i in np.unravel_index(position, left.shape))
    where = f" at {list(index)}" if index else ""
    between = abs(got - other)
    apart = f"differ by {between:.3g}" if np.isfinite(between) else "are not both numbers, as exact results are"
    headline = f"{relation.name}: {got!r} and {other!r}{where} {apart}, allowed {by:.3g}"
    message = "\n".join([headline, *_derived_calls(case, calls), relation.explanation])
    figures = {"index": index, "got": got, "exact": other, "allowed": by, "ratio": worst}
    raise failure("relation", message, function=calls[0][0], output=_output(calls), calls=tuple(calls), **figures)


# Of the 80 columns that a terminal is sure to have, what a message is not indented by.
LINE = 76


def _derived_calls(case: Case, calls: Sequence[tuple[str, Case]]) -> list[str]:
    """The first call that differs from the case, in what it differs, on one line: the fault may lie there as well."""
    differing = next((words for _, other in calls if (words := _differing(case, other))), [])
    line = f"derived call: {', '.join(differing)}"
    return [line if len(line) <= LINE else f"{line[: LINE - 3]}..."] if differing else []


def _differing(case: Case, other: Case) -> list[str]:
    arrays = {name: values for name, values in other.values.items() if name not in case.values or not _same(values, case.values[name])}
    given = {**get_operation(case.operation).defaults, **case.options}
    options = [f"{name}={value!r}" for name, value in other.options.items() if value != given.get(name)]
    words = [line if len(line) <= LINE // 2 else f"{line[: LINE // 2]}..." for line in array_words(arrays)]
    absent = [f"no {name}" for name in case.values if name not in other.values and name != GRAD_OUTPUT]
    return [*([other.operation] if other.operation != case.operation else []), *words, *absent, *options]


def _same(first: Array, second: Array) -> bool:
    return first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()


def _output(calls: Sequence[tuple[str, Case]]) -> str:
    function, case = calls[0]
    return "value" if function == "forward" else f"grad_{get_operation(case.operation).arguments[0].name}"
