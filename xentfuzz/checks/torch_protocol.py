"""Checks of how a torch function gets along with autograd, autocast, the compiler, CUDA's streams and devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.bits import first_difference
from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.compare import compare
from xentfuzz.checks.derived_cases import in_loss_dtype, other_values, plain, with_arrays
from xentfuzz.checks.protocol import Results, functions_of, on_case, perform, results_of
from xentfuzz.checks.results import gradient, judge_output, merged, value
from xentfuzz.checks.trial import Array, Trial, Unsupported
from xentfuzz.dtypes import dtype_name
from xentfuzz.failures.failure import CRASH_KINDS, Failure, failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import LADDER
from xentfuzz.recipes.layouts import lay_out
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.outcome import Outcome

AUTOCAST_DTYPE = "bfloat16"
COMPILE_SECONDS = 300.0


def ordinary_case(trial: Trial) -> Case:
    """The case with plain arrays, as protocols take it. Raises Unsupported where it is wrong without any protocol already."""
    if "plain" not in trial.derived:
        trial.derived["plain"] = right_alone(trial, in_loss_dtype(trial, plain(trial.case)))
    return trial.derived["plain"]


def right_alone(trial: Trial, chosen: Case) -> Case:
    """`chosen`, which plain calls answer rightly. Raises Unsupported otherwise."""
    alone = on_case(trial, chosen)
    try:
        value(alone)
        gradient(alone)
    except Failure as found:
        if found.kind in CRASH_KINDS:
            raise
        raise Unsupported(f"the plain call is wrong already ({found.kind})") from None
    return chosen


def held(trial: Trial, case: Case, output: str, result: Any, words: str, *, kind: str | None = None) -> Measure:
    """Hold a result of a protocol against the case's exact one. kind: of the Failure, None for that of the comparison."""
    judged = on_case(trial, case)
    function = "forward" if output == "value" else "backward"
    judged.outcomes[function] = Outcome(results={output: result})
    try:
        return judge_output(judged, function, output, judged.evaluation)
    except Failure as found:
        raise failure(kind or found.kind, f"{words}: {found.message}", calls=((function, case),), **found.details) from None


def first_gradient(trial: Trial) -> str:
    return f"grad_{trial.operation.arguments[0].name}"


def torch_gradient_modes(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    losses = perform(trial, "torch_grad_modes", [("forward", case)])
    return merged(held(trial, case, "value", loss, mode) for mode, loss in losses.items())


def torch_second_backward(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    found = perform(trial, "torch_second_backward", [("backward", case)])
    output = first_gradient(trial)
    if trial.subject.implementation.deterministic:
        difference = first_difference({output: found["first"]}, {output: found["second"]})
        if difference is not None:
            message = f"a second backward of one loss gives another {output}: {difference[1]}"
            raise failure("stale_state", message, function="backward", output=output, calls=(("backward", case),) * 2)
    return held(trial, case, output, found["second"], "a second backward of one loss", kind="stale_state")


def torch_frozen_arguments(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    wanted = [output for output in results_of(trial, "backward", case) if output in trial.evaluation.outputs()]
    found = perform(trial, "torch_frozen", [("backward", case)])
    measures = []
    for output in wanted:
        words = f"with no gradient wanted but {output}"
        if output not in found:
            raise failure("gradient", f"{words}, autograd finds none", function="backward", output=output, calls=(("backward", case),))
        measures.append(held(trial, case, output, found[output], words))
    return merged(measures)


def torch_two_losses(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    first = trial.operation.arguments[0].name
    other = right_alone(trial, with_arrays(other_values(trial, case), **{first: case.values[first]}))
    found = perform(trial, "torch_two_losses", [("backward", case), ("backward", other)])
    words = "two losses of the same logits, then their gradients"
    measures = []
    for number, given in enumerate((case, other)):
        measures.append(held(trial, given, "value", found[f"value.{number}"], words, kind="stale_state"))
        measures.append(held(trial, given, first_gradient(trial), found[f"gradient.{number}"], words, kind="stale_state"))
    return merged(measures)


def torch_saved_logits(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    found = perform(trial, "torch_saved_logits", [("backward", case)])
    first = trial.operation.arguments[0].name
    calls = (("backward", case),)
    if found["raised"]:
        message = f"{first} that an earlier operation saved for its backward was overwritten: {found['raised']}"
        raise failure("changed_input", message, function="backward", calls=calls)
    values = case.values[first]
    with np.errstate(all="ignore"):
        wanted = values + values
    if not np.array_equal(np.asarray(found["square"]).astype(np.float64), wanted.astype(np.float64), equal_nan=True):
        message = f"{first} that an earlier operation saved for its backward was overwritten: that operation's gradient is wrong"
        raise failure("changed_input", message, function="backward", calls=calls)
    return held(trial, case, first_gradient(trial), found["gradient"], "logits that come from another operation")


def torch_upstream_gradients(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    upstream = case.values["grad_output"]
    capabilities = trial.subject.capabilities
    variants = {"an upstream gradient of zeros": StridedArray.of(np.zeros_like(upstream))}
    # Autograd hands it over whatever a probe saw refused; only a declaration is an author's word.
    if capabilities.assumed or not capabilities.layouts or "expanded" in capabilities.layouts:
        variants["an upstream gradient of stride 0"] = lay_out(np.ones_like(upstream), "expanded")
    measures = []
    for words, array in variants.items():
        given = Case(case.operation, case.dtype, {**case.arrays, "grad_output": array}, case.options)
        try:
            measures.append(gradient(on_case(trial, given)))
        except Failure as found:
            raise failure(found.kind, f"{words}: {found.message}", calls=(("backward", given),), **found.details) from None
    return merged(measures)


def torch_autocast(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    if "grad_output" in case.arrays:
        case = with_arrays(case, grad_output=np.ones_like(case.values["grad_output"]))
    found = perform(trial, "torch_autocast", [("forward", case)])
    policy = {trial.value_dtype, "float32"}
    given = dtype_name(np.asarray(found["value"]).dtype)
    if given not in policy:
        message = f"under autocast the result is {given}, wanted {' or '.join(sorted(policy))}"
        raise failure("dtype", message, function="forward", output="value", got=given, exact=trial.value_dtype)
    for output, result in (("value", found["value"]), (first_gradient(trial), found["gradient"])):
        _as_right_as_autocast(trial, case, output, np.asarray(result))
    return Measure()


def _as_right_as_autocast(trial: Trial, case: Case, output: str, result: Array) -> None:
    """Within what arithmetic in autocast's format allows, at the laxest grade."""
    evaluation = on_case(trial, case).evaluation
    if result.shape != evaluation.shape(output):
        raise failure("shape", f"under autocast {output} has shape {result.shape}, wanted {evaluation.shape(output)}", output=output)
    comparison = compare(result, evaluation, output, LADDER[-1], AUTOCAST_DTYPE)
    if not comparison.ok:
        worst = comparison.worst
        message = f"under autocast {output} at {list(worst.index)} is {worst.got!r}, exact {worst.exact!r}"
        raise failure("value" if output == "value" else "gradient", message, output=output, index=worst.index, got=worst.got)


def torch_compiled(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    found = perform(trial, "torch_compile", [("backward", case)], seconds=COMPILE_SECONDS)
    words = "compiled by torch.compile"
    return merged((held(trial, case, "value", found["value"], words), held(trial, case, first_gradient(trial), found["gradient"], words)))


def torch_custom_operator(trial: Trial) -> Measure:
    found = perform(trial, "torch_opcheck", [("forward", plain(trial.case))], seconds=COMPILE_SECONDS)
    if found["failed"]:
        raise failure("raised", f"torch.library.opcheck: {found['failed']}", function="forward")
    return Measure()


def torch_current_stream(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    earlier = in_loss_dtype(trial, other_values(trial, case))
    words = "called on another CUDA stream than the default one"
    measures = []
    for function in functions_of(trial):
        found = perform(trial, "torch_stream", [(function, case), (function, earlier)])
        measures += _each_held(trial, function, case, found, words)
    return merged(measures)


def torch_current_device(trial: Trial) -> Measure:
    case = ordinary_case(trial)
    words = "called while another CUDA device is the current one"
    measures = []
    for function in functions_of(trial):
        measures += _each_held(trial, function, case, perform(trial, "torch_device", [(function, case)]), words)
    return merged(measures)


def _each_held(trial: Trial, function: str, case: Case, found: Results, words: str) -> list[Measure]:
    """Value and first gradient among the results of one call."""
    if function == "value_and_grad" and "grad_output" in case.arrays:
        case = with_arrays(case, grad_output=np.ones_like(case.values["grad_output"]))
    return [held(trial, case, output, found[output], words) for output in ("value", first_gradient(trial)) if output in found]


def on_cuda(capabilities: Capabilities, implementation: Implementation) -> str | None:
    if implementation.array != "torch":
        return f"{implementation.array} arrays, not torch tensors"
    return None if capabilities.device.startswith("cuda") else "needs a CUDA device"


def float32_if_taken(capabilities: Capabilities) -> str:
    return "float32" if "float32" in capabilities.dtypes else capabilities.dtypes[0]


def autograd_is_asked(capabilities: Capabilities, implementation: Implementation) -> str | None:
    if implementation.array != "torch":
        return f"{implementation.array} arrays, not torch tensors"
    if implementation.backward is not None or "backward" not in capabilities.functions:
        return "its gradients are not autograd's"
    return None


def can_be_compiled(capabilities: Capabilities, implementation: Implementation) -> str | None:
    # What a compiler makes of an interpreter of kernels says nothing about the kernels.
    return "runs in a simulator" if implementation.simulator else autograd_is_asked(capabilities, implementation)


def keeps_the_logits(capabilities: Capabilities, implementation: Implementation) -> str | None:
    first = get_operation(implementation.operation).arguments[0].name
    return f"declared mutates={first}" if first in implementation.mutates else autograd_is_asked(capabilities, implementation)


MODES = """The loss is right with requires_grad, without it, under torch.no_grad() and in inference mode.

An implementation that computes its gradient in forward often takes another path where none is wanted."""
SECOND = """With retain_graph a second backward gives the same gradient, bit for bit.

A saved gradient that backward scales in place is scaled twice."""
TWO = """Two losses of one tensor of logits, both computed before the first gradient is taken, give the values and gradients of each alone.

An operator that keeps its gradient in the logits' memory spoils the second loss."""
SAVED = """Logits that an earlier operation saved for its own backward are left as they are: its gradient stays right.

Torch notices what its own operations overwrite and refuses; what a kernel overwrites goes unnoticed."""
FROZEN = """The gradient of each argument is right where no other argument wants one.

Logits are frozen where a teacher is trained, targets nearly always; what is skipped then must not be what the others need."""
UPSTREAM = (
    """The gradient is right for an upstream gradient of zeros, and for one of stride 0, which is what summing the losses hands back."""
)
AUTOCAST = (
    """Under torch.autocast in bfloat16 the loss has its usual dtype or float32, and loss and gradient are as right as bfloat16 allows."""
)
COMPILED = """torch.compile of the function gives a loss and a gradient within the same bound.

In float32 alone, and where there is a C++ compiler."""
OPERATOR = (
    """torch.library.opcheck passes on a forward that is a custom operator: schema, fake tensors, autograd registration, dynamic shapes."""
)
STREAM = """Under another current CUDA stream loss and gradient are right, although their inputs are ready late there.

A kernel that is launched on the default stream does not wait for them: it reads what their memory held before."""
DEVICE = """With tensors of one CUDA device while another one is current, loss and gradient are right.

A kernel is launched on the current device unless its author sees to it. Where there is a second device."""


# With class indices there is no other argument that has a gradient.
PROBABILITIES = {"targets": ("probabilities",)}


def _check(name: str, judge: Callable[[Trial], Measure], explanation: str, **more: Any) -> Check:
    return Check(name, "ordinary", judge, explanation, libraries=("torch",), **more)


CHECKS = (
    _check("torch_gradient_modes", torch_gradient_modes, MODES, applies=autograd_is_asked, cost="protocol"),
    _check("torch_second_backward", torch_second_backward, SECOND, applies=autograd_is_asked, cost="protocol"),
    _check(
        "torch_frozen_arguments",
        torch_frozen_arguments,
        FROZEN,
        traits=("several gradients",),
        applies=autograd_is_asked,
        draws=PROBABILITIES,
        cost="protocol",
    ),
    _check("torch_two_losses", torch_two_losses, TWO, applies=keeps_the_logits, cost="protocol"),
    _check("torch_saved_logits", torch_saved_logits, SAVED, applies=keeps_the_logits, cost="protocol"),
    _check("torch_upstream_gradients", torch_upstream_gradients, UPSTREAM, applies=autograd_is_asked, cost="protocol"),
    _check("torch_autocast", torch_autocast, AUTOCAST, applies=autograd_is_asked, cost="protocol"),
    _check("torch_current_stream", torch_current_stream, STREAM, applies=on_cuda, cost="costly"),
    _check("torch_current_device", torch_current_device, DEVICE, applies=on_cuda, cost="costly"),
    _check("torch_compiled", torch_compiled, COMPILED, applies=can_be_compiled, cost="compiler", only_dtype=float32_if_taken),
    _check("torch_custom_operator", torch_custom_operator, OPERATOR, applies=autograd_is_asked, cost="compiler"),
)
