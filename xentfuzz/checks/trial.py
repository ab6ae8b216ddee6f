"""One implementation on one case: calls are made on first use and shared by all checks that look at them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.stricter import StricterGrades
from xentfuzz.dtypes import FORMATS, dtype_name, numpy_dtype
from xentfuzz.failures.failure import failure
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.operations.grades import Grade, parse_grade
from xentfuzz.operations.operation import Operation
from xentfuzz.operations.options import REDUCTION
from xentfuzz.operations.roles import has_target
from xentfuzz.operations.rows import loss_rows
from xentfuzz.subjects.outcome import Call, Outcome
from xentfuzz.subjects.subject import Subject

Array = np.ndarray[Any, Any]

# What a library raises for an array that it can't hold; anything else on such an array is a finding.
LAYOUT_ERRORS = {"TypeError", "ValueError", "BufferError"}


# How to say that an implementation has no `reduction` because it never reduces.
ONE_FOR_EACH_ROW = '; where it is a loss for each row by design, declare supports={"options": {"reduction": ("none",)}}'


class Unsupported(Exception):
    """The case is outside what the implementation takes; the message says why. Never a failure."""


class Affordable(NamedTuple):
    """How large the cases may be that a check makes itself to have many rows."""

    rows: float = math.inf
    elements: float = math.inf


UNLIMITED = Affordable()


@dataclass
class Trial:
    """siblings: the same implementation's other operations, for identities that need them. derived: cases that several checks use.

    stricter: of the implementation in the case's dtype, narrowed by what is compared; None where nobody asks.
    wrong_alone: function -> how often a result was as wrong in a fresh worker, in all trials of a run; None where that may cost any number
        of workers.
    """

    operation: Operation
    case: Case
    evaluation: Evaluation
    subject: Subject
    siblings: Mapping[str, Subject] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    derived: dict[str, Case] = field(default_factory=dict)
    stricter: StricterGrades | None = None
    wrong_alone: Counter[str] | None = None
    affordable: Affordable = UNLIMITED

    @cached_property
    def grade(self) -> Grade:
        return parse_grade(self.subject.implementation.grade_for(self.case.dtype))

    @cached_property
    def value_dtype(self) -> str:
        """The dtype that the loss must have: that of the logits unless another one is declared."""
        return self.subject.capabilities.loss_dtypes.get(self.case.dtype, self.case.dtype)

    @cached_property
    def sum_evaluation(self) -> Evaluation:
        """The evaluation with an upstream gradient of ones: what `value_and_grad` is held to."""
        arrays = {name: array for name, array in self.case.arrays.items() if name != "grad_output"}
        return self.operation.evaluate(Case(self.case.operation, self.case.dtype, arrays, self.case.options))

    def outcome(self, function: str) -> Outcome:
        """What came of calling `function`; made once."""
        if function not in self.outcomes:
            self.outcomes[function] = call(self.subject, function, self.case, self.value_dtype)
        return self.outcomes[function]

    def results(self, function: str) -> Mapping[str, Any]:
        """The results of `function`, by output name. Raises Unsupported, or a Failure for an exception or a crash."""
        outcome = self.outcome(function)
        return unwrap(outcome, function, self.layout_refused(function, outcome))

    def layout_refused(self, function: str, outcome: Outcome) -> bool:
        """Whether an exception is only about an array's layout: the same values in plain arrays are taken."""
        if outcome.raised is None or not LAYOUT_ERRORS.intersection(outcome.raised.types) or not awkward(self.case):
            return False
        plain = {name: StridedArray.of(array.view()) for name, array in self.case.arrays.items()}
        retry = call(self.subject, function, Case(self.case.operation, self.case.dtype, plain, self.case.options), self.value_dtype)
        return retry.raised is None and retry.crash is None

    def array(self, function: str, output: str, evaluation: Evaluation | None = None) -> tuple[Array, str]:
        """An output as an array of the right shape, and the dtype that it is judged in. Raises a shape Failure otherwise."""
        results = self.results(function)
        if output not in results:
            raise Unsupported(f"{function} returns no {output}")
        array = np.asarray(results[output])
        wanted = (evaluation or self.evaluation).shape(output)
        if array.shape != wanted:
            hint = ONE_FOR_EACH_ROW if self._one_for_each_row(output, array) else ""
            message = f"{function}: {output} has shape {array.shape}, wanted {wanted}{hint}"
            raise failure("shape", message, function=function, output=output)
        if array.dtype.kind == "c":
            # Numbers without an order can't be held against a bound.
            message = f"{function}: {output} is {array.dtype.name}, wanted {self.wanted_dtype(output)}"
            raise failure("dtype", message, function=function, output=output)
        name = dtype_name(array.dtype)
        # A result of a wrong dtype is the dtype check's finding; its numbers are still compared, as what they were meant to be.
        return array, name if name in FORMATS else self.wanted_dtype(output)

    def _one_for_each_row(self, output: str, array: Array) -> bool:
        """Whether a loss looks like that of the reduction "none", of which the implementation says nothing."""
        if output != "value" or not has_target(self.case) or REDUCTION.name in self.subject.capabilities.options:
            return False
        return bool(array.shape == loss_rows(next(iter(self.case.values.values())).shape).positions)

    def wanted_dtype(self, output: str) -> str:
        return self.value_dtype if output == "value" else self.case.dtype


def call(subject: Subject, function: str, case: Case, value_dtype: str) -> Outcome:
    """Call a function with a case's arrays."""
    return subject.call(Call(function, arguments_of(function, case, value_dtype), case.options))


def arguments_of(function: str, case: Case, value_dtype: str) -> dict[str, StridedArray]:
    """The arrays that a function takes, the upstream gradient in the loss's dtype."""
    arrays = dict(case.arrays)
    upstream = arrays.pop("grad_output", None)
    if function == "backward" and upstream is not None:
        same = upstream.dtype == value_dtype
        arrays["grad_output"] = upstream if same else StridedArray.of(upstream.view().astype(numpy_dtype(value_dtype)))
    return arrays


def unwrap(outcome: Outcome, function: str, layout_refused: bool) -> Mapping[str, Any]:
    """The results of an outcome that has some; otherwise the Failure or Unsupported that it stands for."""
    closed = outcome.notes.get("closed_streams", ())
    if closed:
        raise failure("global_state", f"{function} closes {' and '.join(closed)}", function=function)
    if outcome.results is not None:
        return outcome.results
    if outcome.unsupported is not None:
        raise Unsupported(outcome.unsupported)
    if outcome.crash is not None:
        raise failure(outcome.crash.kind, f"{function}: {outcome.crash.message}", function=function)
    if outcome.unusable is not None:
        raise failure(outcome.unusable.kind, f"{function}: {outcome.unusable.message}", function=function)
    assert outcome.raised is not None
    if layout_refused:
        raise Unsupported(f"layout: {outcome.raised}")
    raise failure("raised", f"{function} raised {outcome.raised}", function=function, traceback=outcome.raised.traceback)


def awkward(case: Case) -> bool:
    """Whether an array is read-only, unaligned or negatively strided: what a library may be unable to hold."""
    return any(
        not array.writeable or any(stride < 0 for stride in array.strides) or not array.view().flags.aligned
        for array in case.arrays.values()
    )
