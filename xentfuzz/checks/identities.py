"""The identities of an operation, as checks: two ways to one result, each called on the implementation, compared with each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.refusal import refusal
from xentfuzz.checks.trial import Array, Trial, Unsupported, call, unwrap
from xentfuzz.failures.failure import failure
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.relation import Relation


def identity_checks(operation: str) -> tuple[Check, ...]:
    """One check for each relation that the operation states."""
    return tuple(
        Check(relation.name, "ordinary", _judge(relation), relation.explanation, (operation,), draws=dict(relation.draws))
        for relation in get_operation(operation).relations
    )


def _judge(relation: Relation) -> Callable[[Trial], Measure]:
    def judge(trial: Trial) -> Measure:
        if not relation.applies(trial.case):
            return Measure(compared=False)
        calls: list[tuple[str, Case]] = []

        def value(operation: str, case: Case) -> Array:
            calls.append(("forward", case))
            return _value(trial, operation, case)

        left, right, allowed = relation.judge(trial.case, value, trial.grade)
        return _agreement(relation, left, right, allowed, calls)

    return judge


def _value(trial: Trial, operation: str, case: Case) -> Array:
    """The implementation's forward result on a derived case. Raises Unsupported where it lacks the operation."""
    subject = trial.subject if operation == trial.operation.name else trial.siblings.get(operation)
    if subject is None:
        raise Unsupported(f"no {operation} of the same name")
    reason = refusal(case, get_operation(operation), subject.capabilities)
    if reason is not None:
        raise Unsupported(reason)
    outcome = call(subject, "forward", case, trial.value_dtype)
    return np.asarray(unwrap(outcome, operation, layout_refused=False)["value"])


def _agreement(relation: Relation, left: Array, right: Array, allowed: Array, calls: Sequence[tuple[str, Case]]) -> Measure:
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
    message = f"{relation.name}: {got!r} and {other!r}{where} differ by {abs(got - other):.3g}, allowed {by:.3g}\n{relation.explanation}"
    figures = {"index": index, "got": got, "exact": other, "allowed": by, "ratio": worst}
    raise failure("relation", message, function="forward", output="value", calls=tuple(calls), **figures)
