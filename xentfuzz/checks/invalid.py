"""Checks of invalid input: what must raise, raises; a rejected call leaves the implementation usable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.derived_cases import class_count, with_arrays
from xentfuzz.checks.trial import Array, Trial, call
from xentfuzz.failures.failure import failure
from xentfuzz.implementation import RANKS
from xentfuzz.operations.case import Case
from xentfuzz.subjects.outcome import Outcome


@dataclass(frozen=True)
class Flawed:
    """An invalid variant of a valid case. flaw: in words. nan_allowed: whether a loss of NaN is an answer too (out-of-range targets)."""

    flaw: str
    case: Case
    nan_allowed: bool = False


Flaws = Callable[[Case], Iterator[Flawed]]


def rejects(flaws: Flaws) -> Callable[[Trial], Measure]:
    """A judge: every flawed variant of the case raises (or gives NaN where that is allowed), and the valid case is answered as before."""

    def judge(trial: Trial) -> Measure:
        variants = list(flaws(trial.case))
        if not variants:
            return Measure(compared=False)
        before = trial.results("forward")
        for variant in variants:
            _judge_variant(trial, variant)
        _still_usable(trial, variants[-1], before)
        return Measure()

    return judge


def _judge_variant(trial: Trial, variant: Flawed) -> None:
    calls = (("forward", variant.case),)
    outcome = call(trial.subject, "forward", variant.case, trial.value_dtype)
    _require_no_crash(outcome, variant.flaw, flaw=variant.flaw, calls=calls)
    wanted = "an exception or NaN" if variant.nan_allowed else "an exception"
    if outcome.unusable is not None:
        message = f"{variant.flaw} is accepted: {outcome.unusable.message.partition(';')[0]}, wanted {wanted}"
        raise failure("accepted_invalid", message, flaw=variant.flaw, calls=calls)
    if outcome.results is None:
        return
    value = np.asarray(outcome.results["value"]).astype(np.float64)
    if variant.nan_allowed and np.isnan(value).any():
        return
    shown = value.reshape(-1)[:4].tolist()
    message = f"{variant.flaw} is accepted: forward returns {shown[0] if value.size == 1 else shown}, wanted {wanted}"
    raise failure("accepted_invalid", message, flaw=variant.flaw, calls=calls)


def _still_usable(trial: Trial, variant: Flawed, before: Mapping[str, Any]) -> None:
    calls = (("forward", variant.case), ("forward", trial.case))
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


def targets_out_of_range(case: Case) -> Iterator[Flawed]:
    """One row's class index outside [0, C), at the first, a middle and the last row, just outside and far outside."""
    target = case.values["target"]
    logits = case.values[next(iter(case.arrays))]
    if target.dtype.kind not in "iu" or not target.size or not logits.size:
        return
    classes = class_count(case)
    ignored = case.options["ignore_index"]
    held = np.iinfo(target.dtype)
    outside = (classes, -1, classes + 1, -classes, -classes - 1, 2**31 + 1, -(2**40))
    wrong = [value for value in outside if value != ignored and held.min <= value <= held.max]
    for number, value in enumerate(wrong):
        position = (0, target.size - 1, target.size // 2)[number % 3]
        changed = target.copy()
        changed.reshape(-1)[position] = value
        yield Flawed(f"target {value} of {classes} classes", with_arrays(case, target=changed), nan_allowed=True)


def mismatched_shapes(case: Case) -> Iterator[Flawed]:
    """Targets with rows too many or too few or an axis that could be broadcast, weights with classes too many or too few."""
    target, logits = case.values["target"], case.values[next(iter(case.arrays))]
    for changed in _other_shapes(target, logits):
        yield Flawed(_shapes("target", changed, logits), with_arrays(case, target=changed))
    weight = case.values.get("weight")
    if weight is not None and weight.size > 1:
        yield Flawed(_shapes("weight", weight[:-1], logits), with_arrays(case, weight=weight[:-1]))
        yield Flawed(_shapes("weight", np.tile(weight, 2), logits), with_arrays(case, weight=np.tile(weight, 2)))


def _other_shapes(target: Array, logits: Array) -> Iterator[Array]:
    if logits.ndim == 1:
        yield from _other_shapes_of_a_row(target, logits.size)
        return
    if not target.shape[0]:
        return
    yield target[:-1]
    yield np.concatenate([target, target[-1:]])
    if target.shape[0] > 2:
        yield target[:1]
    if logits.ndim > 2 and target.shape[-1]:
        yield target[..., :-1]
    if logits.shape[1] > 1:
        holds_indices = target.ndim < logits.ndim
        yield target[:, np.newaxis] if holds_indices else target[:, :1]
        if holds_indices:
            yield np.broadcast_to(target[:, np.newaxis], logits.shape)


def _other_shapes_of_a_row(target: Array, classes: int) -> Iterator[Array]:
    """For logits without a batch axis. A single index of shape (1,) is left out: some libraries take it."""
    if target.ndim == 0:
        yield np.broadcast_to(target, (3 if classes == 2 else 2,)).copy()  # not the shape of probabilities
    elif classes > 1:
        yield target[:-1]
        yield np.tile(target, 2)


def _shapes(name: str, array: Array, logits: Array) -> str:
    return f"{name} of shape {array.shape} with an input of shape {logits.shape}"


def invalid_options(case: Case) -> Iterator[Flawed]:
    """Values of options that the contract refuses."""
    for name, value in (("label_smoothing", 1.5), ("label_smoothing", 1.125), ("label_smoothing", float("inf")), ("reduction", "median")):
        if name in case.options:
            yield Flawed(f"{name}={value!r}", Case(case.operation, case.dtype, case.arrays, {**case.options, name: value}))


LOSSES = ("cross_entropy", "nll_loss")

OUT_OF_RANGE = """A class index outside [0, C) that is not ignore_index raises, or makes the loss NaN; a finite number is a finding.

A clamped, wrapped or unchecked index trains on a wrong class in silence, and reads memory that isn't the row's."""
SHAPES = """A target or weight whose shape does not fit the input raises, whatever the type of the error.

Broadcasting or reading on makes the loss of other rows than the user's."""
OPTIONS = "label_smoothing beyond 1 and an unknown reduction raise; only a signature that has the option is asked."


def _check(name: str, flaws: Flaws, explanation: str, **draws: Any) -> Check:
    return Check(name, "ordinary", rejects(flaws), explanation, LOSSES, draws=draws, hazardous=True)


CHECKS = (
    _check("rejects_out_of_range_targets", targets_out_of_range, OUT_OF_RANGE, targets=("index",)),
    _check("rejects_mismatched_shapes", mismatched_shapes, SHAPES, ranks=RANKS),
    _check("rejects_invalid_options", invalid_options, OPTIONS, ranks=(1, 2)),
)
