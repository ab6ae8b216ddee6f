"""What checks of more than one call are made of: calls on other cases, and protocols in the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.trial import Trial, arguments_of, call, unwrap
from xentfuzz.implementation import FUNCTIONS
from xentfuzz.operations.case import Case
from xentfuzz.subjects.outcome import Call, Outcome
from xentfuzz.worker.protocols import PREFIX

Steps = Sequence[tuple[str, Case]]
Results = Mapping[str, Any]


def protocol_outcome(trial: Trial, protocol: str, steps: Steps, *, seconds: float | None = None, **parameters: Any) -> Outcome:
    """What came of a protocol of `xentfuzz.worker.protocols` with calls of (function, case). seconds: a time limit of its own."""
    arrays: dict[str, StridedArray] = {}
    described = []
    for number, (function, case) in enumerate(steps):
        given = arguments_of(function, case, loss_dtype(trial, case))
        arrays |= {f"{number}.{name}": array for name, array in given.items()}
        described.append({"function": function, "options": dict(case.options)})
    return trial.subject.call(Call(f"{PREFIX}{protocol}", arrays, {"steps": described, **parameters}, seconds))


def perform(trial: Trial, protocol: str, steps: Steps, *, seconds: float | None = None, **parameters: Any) -> Results:
    """The results of a protocol. Raises Unsupported, or a Failure for an exception or a crash."""
    return unwrap(protocol_outcome(trial, protocol, steps, seconds=seconds, **parameters), steps[0][0], layout_refused=False)


def loss_dtype(trial: Trial, case: Case) -> str:
    return trial.subject.capabilities.loss_dtypes.get(case.dtype, case.dtype)


def functions_of(trial: Trial) -> tuple[str, ...]:
    """What can be called, in the order forward, backward, value_and_grad."""
    return tuple(function for function in FUNCTIONS if function in trial.subject.capabilities.functions)


def results_of(trial: Trial, function: str, case: Case) -> Results:
    """The results of one call on a derived case. Raises Unsupported, or a Failure for an exception or a crash."""
    return unwrap(call(trial.subject, function, case, loss_dtype(trial, case)), function, layout_refused=False)


def on_case(trial: Trial, case: Case) -> Trial:
    """The trial of a derived case."""
    return Trial(trial.operation, case, trial.operation.evaluate(case), trial.subject, trial.siblings)
