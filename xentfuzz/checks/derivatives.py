"""Checks of what autodiff makes of a function beyond its gradient: second derivatives, forward mode, calls over a new axis.

Refusing each of these is an allowed policy: a wrong number is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.derived_cases import other_values, with_arrays
from xentfuzz.checks.protocol import Results, perform
from xentfuzz.checks.results import merged, require_within
from xentfuzz.checks.torch_protocol import held, ordinary_case, right_alone
from xentfuzz.checks.trial import Array, Trial
from xentfuzz.dtypes import FORMATS, dtype_name, numpy_dtype
from xentfuzz.failures.failure import Failure, failure
from xentfuzz.implementation import DEFAULT_GRADE, Implementation
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.operations.grades import LADDER, Grade, parse_grade
from xentfuzz.operations.roles import has_labels, target_name
from xentfuzz.operations.second_order import evaluate_along
from xentfuzz.subjects.capabilities import Capabilities

ALONG = ("along a vector",)
LIBRARIES = ("torch", "jax")
REFUSED, ANSWERED = "refused", "right"


def second_derivatives(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    vector = _direction(case)
    found = perform(trial, "second_gradients", [("backward", _with_vector(case, vector))])
    evaluation = evaluate_along(case, vector)
    parts = {"gradient": (_first_gradient(case), "by the first argument"), "upstream": ("value", "by the upstream gradient")}
    return _judged(trial, found, evaluation, "second derivatives", parts)


def forward_mode(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    vector = _direction(case)
    found = perform(trial, "forward_mode", [("forward", _with_vector(case, vector))])
    return _judged(trial, found, evaluate_along(case, vector), "forward mode", {"tangent": ("value", "along a vector")})


def _judged(trial: Trial, found: Results, evaluation: Evaluation, name: str, parts: Mapping[str, tuple[str, str]]) -> Measure:
    """Hold results against an evaluation. parts: name of a result -> output of the evaluation, and words for it."""
    if "refused" in found:
        return Measure(policies=((name, REFUSED),))
    worst = merged(_held(trial, found[result], evaluation, output, f"{name} {words}") for result, (output, words) in parts.items())
    return Measure(ratio=worst.ratio, ulp=worst.ulp, policies=((name, ANSWERED),))


def _held(trial: Trial, result: Any, evaluation: Evaluation, output: str, words: str) -> Measure:
    got, calls = np.asarray(result), (("forward" if words.startswith("forward") else "backward", ordinary_case(trial)),)
    if got.shape != evaluation.shape(output):
        raise failure("shape", f"{words}: shape {got.shape}, wanted {evaluation.shape(output)}", output=output, calls=calls)
    name = dtype_name(got.dtype)
    dtype = name if name in FORMATS else trial.wanted_dtype(output)
    try:
        comparison = require_within(got, evaluation, output, _grade(trial), dtype, function=words)
    except Failure as found:
        raise failure(found.kind, found.message, calls=calls, **found.details) from None
    return Measure(ratio=comparison.ratio, ulp=comparison.ulp)


def _grade(trial: Trial) -> Grade:
    """What is promised of values and gradients says nothing of these: working precision, with 16-bit intermediates where there are any."""
    least = parse_grade("staged/any" if FORMATS[trial.case.dtype].bits == 16 else DEFAULT_GRADE)
    return max(trial.grade, least, key=LADDER.index)


def _direction(case: Case) -> Array:
    """Quarters from -3/2 to 3/2, exact in every format, no two neighbours along any axis alike."""
    first = next(iter(case.values.values()))
    vector: Array = (((np.arange(first.size) * 5 + 3) % 13 - 6) / 4).reshape(first.shape).astype(numpy_dtype(case.dtype))
    return vector


def _with_vector(case: Case, vector: Array) -> Case:
    return Case(case.operation, case.dtype, {**case.arrays, "vector": StridedArray.of(vector)}, case.options)


def _first_gradient(case: Case) -> str:
    return f"grad_{next(iter(case.values))}"


def vectorised_calls(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    changed = other_values(trial, case).values
    # Only what each sample of a batch has of its own: logits and labels.
    batched = [next(iter(case.values)), *([target_name(case.operation)] if has_labels(case) else [])]
    other = right_alone(trial, with_arrays(case, **{name: changed[name] for name in batched}))
    found = perform(trial, "vectorised", [("forward", case), ("forward", other)], batched=batched)
    if "refused" in found:
        return Measure(policies=(("vmap", REFUSED),))
    value = np.asarray(found["value"])
    wanted = (2, *trial.evaluation.shape("value"))
    if value.shape != wanted:
        raise failure("shape", f"two calls at once by vmap: the value has shape {value.shape}, wanted {wanted}", output="value")
    words = "two calls at once by vmap"
    worst = merged(held(trial, given, "value", value[number], words) for number, given in enumerate((case, other)))
    return Measure(ratio=worst.ratio, ulp=worst.ulp, policies=(("vmap", ANSWERED),))


def autodiff_is_asked(capabilities: Capabilities, implementation: Implementation) -> str | None:
    if implementation.backward is not None or "backward" not in capabilities.functions:
        return "its gradients are not autodiff's"
    return None


SECOND = """A double backward is right, or refused.

The gradient of <v, gradient> by the first argument and by the upstream gradient is held against the exact Hessian and Jacobian times v. A
backward that takes what it saved for a constant gives a second derivative without an error and without a term. `once_differentiable` in
torch refuses it; the report says so as a policy. Held to working precision, or to 16-bit intermediates in 16-bit formats."""
FORWARD = """Forward-mode differentiation (torch.func.jvp, jax.jvp) is right, or refused.

The tangent is held against the exact Jacobian times a vector, to working precision, or to 16-bit intermediates in 16-bit formats."""
VECTORISED = """vmap over the first argument and the class indices (torch.func.vmap, jax.vmap) gives what each call gives, or is refused."""


def _check(name: str, judge: Callable[[Trial], Measure], explanation: str, **more: Any) -> Check:
    return Check(name, "ordinary", judge, explanation, applies=autodiff_is_asked, cost="protocol", libraries=LIBRARIES, **more)


CHECKS = (
    _check("second_derivatives", second_derivatives, SECOND, traits=ALONG),
    _check("forward_mode", forward_mode, FORWARD, traits=ALONG),
    _check("vectorised_calls", vectorised_calls, VECTORISED),
)
