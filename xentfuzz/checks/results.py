"""Checks of single calls: values, gradients, shapes and dtypes against the exact result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.compare import Comparison, compare, first_laxer_grade_met
from xentfuzz.checks.exceeded import exceeded_step
from xentfuzz.checks.message import mismatch_message, output_words
from xentfuzz.checks.trial import Trial
from xentfuzz.checks.whole import small_output
from xentfuzz.dtypes import dtype_name
from xentfuzz.failures.failure import failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.roles import target_of
from xentfuzz.subjects.capabilities import Capabilities

Array = np.ndarray[Any, Any]


def judge_output(trial: Trial, function: str, output: str, evaluation: Evaluation) -> Measure:
    """Hold one output against the exact result. Raises a value, gradient, accuracy, special or shape Failure."""
    got, dtype = trial.array(function, output, evaluation)
    if trial.stricter is not None:
        trial.stricter.hold(got, evaluation, output, dtype)
    comparison = require_within(got, evaluation, output, trial.grade, dtype, function=function)
    return Measure(ratio=comparison.ratio, ulp=comparison.ulp, policies=named_policies(trial, comparison))


def require_within(got: Array, evaluation: Evaluation, output: str, grade: Grade, dtype: str, *, function: str) -> Comparison:
    """The comparison of an output, of the right shape and returned in `dtype`, that is as right as `grade` demands.

    Raises a value, gradient, accuracy or special Failure for one that is not.
    """
    __tracebackhide__ = True
    comparison = compare(got, evaluation, output, grade, dtype)
    if comparison.ok:
        return comparison
    worst, laxer, exceeded = comparison.worst, None, None
    kind = "special"
    if not worst.special:
        laxer = first_laxer_grade_met(got, evaluation, output, grade, dtype)
        exceeded = exceeded_step(worst, evaluation, output, grade, dtype)
        kind = "accuracy" if laxer else ("value" if output == "value" else "gradient")
    raise failure(
        kind,
        mismatch_message(comparison, evaluation.case.operation, function, laxer, exceeded),
        function=function,
        output=output,
        index=worst.index,
        got=worst.got,
        exact=worst.exact,
        allowed=worst.allowed,
        ratio=worst.ratio,
        ulp=comparison.ulp,
        wanted=worst.wanted,
        elements=small_output(got, evaluation, output, grade, dtype),
        **({"meets": str(laxer)} if laxer else {}),
    )


def named_policies(trial: Trial, comparison: Comparison) -> tuple[tuple[str, str], ...]:
    return tuple((trial.operation.policies[index].name, outcome) for index, outcome in sorted(comparison.policies))


def merged(measures: Iterable[Measure]) -> Measure:
    """The worst of several measures; not compared where there is none."""
    kept = list(measures)
    if not kept:
        return Measure(compared=False)
    worst = max(kept, key=lambda measure: measure.ratio)
    policies = tuple(sorted({policy for measure in kept for policy in measure.policies}))
    return Measure(ratio=worst.ratio, ulp=worst.ulp, policies=policies)


def value(trial: Trial) -> Measure:
    return judge_output(trial, "forward", "value", trial.evaluation)


def gradient(trial: Trial) -> Measure:
    wanted = [output for output in trial.evaluation.outputs() if output in trial.subject.capabilities.gradients]
    return merged(judge_output(trial, "backward", output, trial.evaluation) for output in wanted)


def value_and_grad(trial: Trial) -> Measure:
    outputs = trial.results("value_and_grad")
    return merged(judge_output(trial, "value_and_grad", output, trial.sum_evaluation) for output in outputs)


def shape(trial: Trial) -> Measure:
    outputs = called_outputs(trial)
    for function, output in outputs:
        trial.array(function, output)
    return Measure(compared=bool(outputs))


def dtype(trial: Trial) -> Measure:
    outputs = called_outputs(trial)
    for function, output in outputs:
        result = trial.results(function)[output]
        given = _dtype_words(result)
        wanted = trial.wanted_dtype(output)
        if given != wanted:
            words = output_words(trial.operation.name, output)
            raise failure(
                "dtype", f"{function}: {words} is {given}, wanted {wanted}", function=function, output=output, got=given, exact=wanted
            )
    return Measure(compared=bool(outputs))


def _dtype_words(result: object) -> str:
    if not isinstance(result, np.ndarray | np.generic):
        return f"a Python {type(result).__name__}"
    return dtype_name(result.dtype) + ("" if result.dtype.isnative else " in foreign byte order")


def called_outputs(trial: Trial) -> list[tuple[str, str]]:
    """(function, output) of everything that the implementation answers for this case."""
    return [(function, output) for function in answering(trial) for output in trial.results(function)]


def answering(trial: Trial) -> list[str]:
    """The functions that give a result for this case; one that raises is a finding of the checks that look at its numbers."""
    return [function for function in trial.subject.capabilities.functions if trial.outcome(function).results is not None]


def robust_value(trial: Trial) -> Measure:
    return raising_is_fine(trial, "forward", value)


def robust_gradient(trial: Trial) -> Measure:
    return raising_is_fine(trial, "backward", gradient)


def raising_is_fine(trial: Trial, function: str, judge: Callable[[Trial], Measure]) -> Measure:
    """Judge what a function answers; an exception is the other allowed outcome, and reports say which one was chosen."""
    outcome = trial.outcome(function)
    name = "narrow target dtype" if target_of(trial.case).dtype != np.int64 else "empty class axis"
    if outcome.raised is not None:
        return Measure(policies=((name, "raises"),))
    measure = judge(trial)
    return Measure(ratio=measure.ratio, ulp=measure.ulp, policies=(*measure.policies, (name, "answers")))


def inputs_unchanged(trial: Trial) -> Measure:
    allowed = set(trial.subject.implementation.mutates)
    for function in answering(trial):
        changed = sorted(set(trial.outcome(function).changed) - allowed)
        if changed:
            message = f"{function} changed {', '.join(changed)}; declare mutates= where that is by design"
            raise failure("changed_input", message, function=function)
    return Measure(compared=bool(answering(trial)))


def needs_gradient(capabilities: Capabilities, _: Implementation) -> str | None:
    return None if capabilities.gradients else "no backward: gradients are not checked"


def needs_value_and_grad(capabilities: Capabilities, _: Implementation) -> str | None:
    return None if "value_and_grad" in capabilities.functions else "no value_and_grad"


VALUE = """The {what} is within the allowed error of the exact result.

The exact result is computed in a wider format from the same, already rounded inputs; the allowed error follows from the roundings that the
declared grade of accuracy admits, never from a fixed tolerance. Cases are ordinary: finite logits, all kinds of targets, weights, options,
layouts and shapes."""
SPECIAL = """Infinities, NaN, overflow, empty batches, nothing kept and weights that sum to zero give an outcome that the contract allows.

Rows without special values must be as right as ever. Where several outcomes are allowed, the report says which one was chosen: a policy,
never a failure."""
ROBUST = """Targets of a narrow integer dtype and an empty class axis are refused with an exception, or answered rightly.

An implementation that accepts them must answer as for int64 targets: no wrapped index, no wrapped ignore_index."""

DTYPE = "The loss has the logits' dtype or the declared loss_dtype, gradients their argument's; a Python number is none."
UNCHANGED = "No argument's bits differ after the call, unless declared in mutates."

CHECKS = (
    Check("value", "ordinary", value, VALUE.format(what="forward result"), directed=True),
    Check(
        "gradient",
        "ordinary",
        gradient,
        VALUE.format(what="gradient, for an upstream gradient that is not uniform,"),
        applies=needs_gradient,
        directed=True,
    ),
    Check("value_and_grad", "ordinary", value_and_grad, VALUE.format(what="pair of one fused call"), applies=needs_value_and_grad),
    Check(
        "shape",
        "ordinary",
        shape,
        "The loss has the target's shape under reduction none and is 0-d otherwise; gradients have their argument's shape.",
    ),
    Check("dtype", "ordinary", dtype, DTYPE),
    Check("inputs_unchanged", "ordinary", inputs_unchanged, UNCHANGED),
    Check("special_value", "special", value, SPECIAL),
    Check("special_gradient", "special", gradient, SPECIAL, applies=needs_gradient),
    Check("special_value_and_grad", "special", value_and_grad, SPECIAL, applies=needs_value_and_grad),
    Check("special_dtype", "special", dtype, DTYPE),
    Check("special_inputs_unchanged", "special", inputs_unchanged, UNCHANGED),
    Check("robust_value", "robust", robust_value, ROBUST, traits=("loss",)),
    Check("robust_gradient", "robust", robust_gradient, ROBUST, traits=("loss",), applies=needs_gradient),
)
