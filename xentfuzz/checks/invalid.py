"""Checks of invalid input: what must raise, raises; a rejected call leaves the implementation usable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.derived_cases import class_count, with_arrays
from xentfuzz.checks.mismatched_shapes import other_targets, other_upstreams, other_weights
from xentfuzz.checks.protocol import on_case
from xentfuzz.checks.results import gradient
from xentfuzz.checks.trial import Array, Trial, call
from xentfuzz.failures.failure import Failure, failure
from xentfuzz.implementation import RANKS
from xentfuzz.operations.case import Case
from xentfuzz.operations.roles import ignored_label, target_name, target_of, weight_name
from xentfuzz.subjects.outcome import Outcome


@dataclass(frozen=True)
class Flawed:
    """An invalid variant of a valid case. flaw: in words. function: what is called with it.

    nan_allowed: whether a loss of NaN is an answer too (out-of-range targets). like: the valid case whose answer is an answer too, where
    only the shape of an upstream gradient is another; None where nothing may be answered.
    """

    flaw: str
    case: Case
    nan_allowed: bool = False
    function: str = "forward"
    like: Case | None = None

    @property
    def calls(self) -> tuple[tuple[str, Case], ...]:
        return ((self.function, self.case),)


Flaws = Callable[[Trial], Iterator[Flawed]]


def rejects(flaws: Flaws) -> Callable[[Trial], Measure]:
    """A judge: every flawed variant of the case raises (or gives NaN where that is allowed), and the valid case is answered as before."""

    def judge(trial: Trial) -> Measure:
        variants = list(flaws(trial))
        if not variants:
            return Measure(compared=False)
        before = trial.results("forward")
        for variant in variants:
            _judge_variant(trial, variant)
        _still_usable(trial, variants[-1], before)
        return Measure()

    return judge


def _judge_variant(trial: Trial, variant: Flawed) -> None:
    outcome = call(trial.subject, variant.function, variant.case, trial.value_dtype)
    _require_no_crash(outcome, variant.flaw, flaw=variant.flaw, calls=variant.calls)
    alternative = " or NaN" if variant.nan_allowed else " or the gradient for the losses in their order" if variant.like else ""
    if outcome.unusable is not None:
        message = f"{variant.flaw} is accepted: {outcome.unusable.message.partition(';')[0]}, wanted an exception{alternative}"
        raise failure("accepted_invalid", message, function=variant.function, flaw=variant.flaw, calls=variant.calls)
    if outcome.results is None or (variant.like is not None and _is_right(trial, variant.like, outcome)):
        return
    value = np.asarray(next(iter(outcome.results.values()))).astype(np.float64)
    if variant.nan_allowed and np.isnan(value).any():
        return
    shown = value.reshape(-1)[:4].tolist()
    answer = f"{variant.function} returns {shown[0] if value.size == 1 else shown}"
    message = f"{variant.flaw} is accepted: {answer}, wanted an exception{alternative}"
    raise failure("accepted_invalid", message, function=variant.function, flaw=variant.flaw, calls=variant.calls)


def _is_right(trial: Trial, like: Case, outcome: Outcome) -> bool:
    """Whether what backward gave is what it has to give for `like`, or gives for it: whether that is right is for another check to say."""
    judged = on_case(trial, like)
    judged.outcomes["backward"] = outcome
    try:
        return gradient(judged).compared
    except Failure:
        usual = call(trial.subject, "backward", like, trial.value_dtype)
        return usual.results is not None and outcome.results is not None and _are_equal(usual.results, outcome.results)


def _are_equal(usual: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    return usual.keys() == given.keys() and all(np.array_equal(usual[name], given[name], equal_nan=True) for name in usual)


def _still_usable(trial: Trial, variant: Flawed, before: Mapping[str, Any]) -> None:
    calls = (*variant.calls, ("forward", trial.case))
    outcome = call(trial.subject, "forward", trial.case, trial.value_dtype)
    _require_no_crash(outcome, f"after {variant.flaw} was rejected, the valid call", flaw=variant.flaw, calls=calls)
    again = _value(outcome)
    # What is declared to give other bits each time has to answer, no more.
    repeatable = trial.subject.implementation.deterministic
    if again is None or (repeatable and not np.array_equal(again, np.asarray(before["value"]), equal_nan=True)):
        state = "raises" if again is None else "gives another result"
        raise failure("stale_state", f"after {variant.flaw} was rejected, the valid call {state}", flaw=variant.flaw, calls=calls)


def _require_no_crash(outcome: Outcome, what: str, **details: Any) -> None:
    """Raises the Failure that a crash is, under its own kind: the runner counts those, as each costs a worker or a time limit."""
    if outcome.crash is not None:
        raise failure(outcome.crash.kind, f"{what}: {outcome.crash.message}", **details)


def _value(outcome: Outcome) -> Array | None:
    return None if outcome.results is None else np.asarray(outcome.results["value"])


def targets_out_of_range(trial: Trial) -> Iterator[Flawed]:
    """One row's class index outside [0, C), at the first, a middle and the last row, just outside and far outside."""
    case = trial.case
    target = target_of(case)
    logits = case.values[next(iter(case.arrays))]
    if target.dtype.kind not in "iu" or not target.size or not logits.size:
        return
    classes = class_count(case)
    ignored = ignored_label(case)
    held = np.iinfo(target.dtype)
    outside = (classes, -1, classes + 1, -classes, -classes - 1, 2**31 + 1, -(2**40))
    wrong = [value for value in outside if value != ignored and held.min <= value <= held.max]
    for number, value in enumerate(wrong):
        position = (0, target.size - 1, target.size // 2)[number % 3]
        changed = target.copy()
        changed.reshape(-1)[position] = value
        yield Flawed(f"target {value} of {classes} classes", with_arrays(case, **{target_name(case.operation): changed}), nan_allowed=True)


def mismatched_shapes(trial: Trial) -> Iterator[Flawed]:
    """Targets, weights and upstream gradients that have rows or classes too many or too few, or that broadcasting would make fit."""
    case = trial.case
    logits = case.values[next(iter(case.arrays))]
    of, of_classes = target_name(case.operation), weight_name(case.operation)
    for target in other_targets(target_of(case), logits):
        yield Flawed(_shapes(of, target, logits), with_arrays(case, **{of: target}))
    if trial.subject.capabilities.weight:
        for weight in other_weights(case):
            yield Flawed(_shapes(of_classes, weight, logits), with_arrays(case, **{of_classes: weight}))
    # Autograd refuses them before an implementation sees them.
    if trial.subject.implementation.backward is not None and "backward" in trial.subject.capabilities.functions:
        for valid, upstream in other_upstreams(trial):
            wanted = valid.values["grad_output"]
            flaw = f"grad_output of shape {upstream.shape} for a loss of shape {wanted.shape}"
            like = valid if upstream.size == wanted.size else None
            yield Flawed(flaw, with_arrays(valid, grad_output=upstream), function="backward", like=like)


def _shapes(name: str, array: Array, logits: Array) -> str:
    return f"{name} of shape {array.shape} with an input of shape {logits.shape}"


def invalid_options(trial: Trial) -> Iterator[Flawed]:
    """Values of options that the contract refuses."""
    case = trial.case
    for option in sorted(trial.operation.options, key=lambda option: option.name):
        for value in option.invalid if option.name in case.options else ():
            changed = {**case.options, option.name: value}
            yield Flawed(f"{option.name}={value!r}", Case(case.operation, case.dtype, case.arrays, changed))


OUT_OF_RANGE = """A class index outside [0, C) that is not ignore_index raises, or makes the loss NaN; a finite number is a finding.

A clamped, wrapped or unchecked index trains on a wrong class in silence, and reads memory that isn't the row's."""
SHAPES = """A target, weight or upstream gradient whose shape does not fit the input raises, whatever the type of the error.

Broadcasting or reading on makes the loss of other rows than the user's. An upstream gradient with one number for each loss in another
shape, such as (N, 1), may be taken for one of the right shape, if the gradient is what that one gives."""
OPTIONS = "label_smoothing beyond 1 and an unknown reduction raise; only a signature that has the option is asked."


def _check(name: str, flaws: Flaws, explanation: str, *, cost: str = "call", **draws: Any) -> Check:
    return Check(name, "ordinary", rejects(flaws), explanation, ("loss",), draws=draws, hazardous=True, cost=cost)


CHECKS = (
    _check("rejects_out_of_range_targets", targets_out_of_range, OUT_OF_RANGE, targets=("index",)),
    _check("rejects_mismatched_shapes", mismatched_shapes, SHAPES, cost="protocol", ranks=RANKS),
    _check("rejects_invalid_options", invalid_options, OPTIONS, ranks=(1, 2)),
)
