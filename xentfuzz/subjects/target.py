"""From what a user names or hands over to an Implementation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from xentfuzz.errors import UnknownName, UsageError
from xentfuzz.implementation import DEFAULT_OPERATION, Implementation
from xentfuzz.operations import get_operation
from xentfuzz.operations.operation import Operation
from xentfuzz.registry import get, reference_of
from xentfuzz.subjects.assumed_grade import assumed_grade
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.isolated import Isolated
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.outcome import FUNCTIONS, Crash
from xentfuzz.subjects.planning import absolute
from xentfuzz.subjects.sample import Sample
from xentfuzz.subjects.worker_process import WorkerProcess
from xentfuzz.worker.describe import describe_object, describe_target
from xentfuzz.worker.reference import load_reference
from xentfuzz.worker.texts import one_line


def resolve(
    target: Implementation | Callable[..., Any] | str,
    *,
    operation: str | None = None,
    backward: Callable[..., Any] | str | None = None,
    value_and_grad: Callable[..., Any] | str | None = None,
    array: str | None = None,
    device: str | None = None,
    dtypes: Sequence[str] | None = None,
    grade: str | None = None,
    environment: Mapping[str, str] | None = None,
    renames: Mapping[str, str] | None = None,
    fixed: Mapping[str, Any] | None = None,
    supports: Mapping[str, Any] | None = None,
    python: str | None = None,
    isolate: bool = True,
) -> Implementation:
    """The Implementation that `target` stands for, with what else is given in the place of what it declares.

    target: an Implementation, a function, a torch.autograd.Function or nn.Module class, a registered name, "package.module:attribute" or
    "path/to/file.py:attribute". A function's backward and value_and_grad are its attributes of that name unless given. python: another
    interpreter that it is loaded by. isolate: a named target is imported and tried in a worker first. Raises UsageError, in one line: what
    was given, what is wanted, what is nearest.
    """
    given = {
        "backward": absolute(backward) if isinstance(backward, str) else backward,
        "value_and_grad": absolute(value_and_grad) if isinstance(value_and_grad, str) else value_and_grad,
        "array": array,
        "device": device,
        "dtypes": None if dtypes is None else tuple(dtypes),
        "grade": grade,
        "environment": environment or None,
        "renames": renames or None,
        "fixed": fixed or None,
        "supports": supports or None,
        "python": python,
    }
    known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    # What is said of an undeclared target leaves the rest to the probe.
    undeclared = {**known, "probed": True} if "supports" in known else known
    if isinstance(target, Implementation):
        return _changed(target, known)
    if isinstance(target, str) and ":" not in target:
        return _changed(_registered(target, operation or DEFAULT_OPERATION), known)
    chosen = operation or DEFAULT_OPERATION
    if not isinstance(target, str):
        return _of_object(target, chosen, undeclared)
    described = _described(target, chosen, known.get("environment", {}), python, isolate=isolate)
    if "declares" in described:
        declared = _declared(target, described["declares"], operation)
        return replace(declared, **_added(declared, known))
    return _of_reference(target, described, chosen, undeclared, isolate=isolate)


def _changed(declared: Implementation, known: Mapping[str, Any]) -> Implementation:
    """The declaration itself where nothing else is given; otherwise one whose functions are still found by another process."""
    if not known:
        return declared
    known = _added(declared, known)
    reference = reference_of(declared)
    if reference is None:
        return replace(declared, **known)
    if "python" in known and declared.unavailable is not None:
        known["unavailable"] = f"{reference}.unavailable"
    return replace(_by_reference(declared, reference), **known)


def _added(declared: Implementation, known: Mapping[str, Any]) -> dict[str, Any]:
    """What is given beside what is declared: of renames, fixed and supports the entries, of other things the whole."""
    added: dict[str, Any] = {
        name: {**(getattr(declared, name) or {}), **known[name]} for name in ("renames", "fixed", "supports") if name in known
    }
    if "options" in added.get("supports", {}):
        own = (declared.supports or {}).get("options", {})
        added["supports"]["options"] = {**own, **known["supports"].get("options", {})}
    if "supports" in added:
        added["probed"] = declared.supports is None or declared.probed
    return {**known, **added}


def _by_reference(declared: Implementation, reference: str) -> Implementation:
    given = {name: getattr(declared, name) for name in FUNCTIONS}
    # A function that is a reference itself can be imported as it is.
    functions: dict[str, Any] = {
        name: function if isinstance(function, str) else f"{reference}.{name}" for name, function in given.items() if function is not None
    }
    return replace(declared, **functions)


def _of_object(target: Any, operation: str, known: Mapping[str, Any]) -> Implementation:
    described = describe_object(target, len(_positional(operation)))
    companions = {name: getattr(target, name) for name in described["companions"]}
    name = str(getattr(target, "__qualname__", type(target).__qualname__))
    implementation = Implementation(name, target, operation=operation, **{**companions, **known})
    return _with_grade(_with_library(implementation, described["libraries"], known, isolate=False), known)


def _of_reference(target: str, described: Mapping[str, Any], operation: str, known: Mapping[str, Any], *, isolate: bool) -> Implementation:
    reference = absolute(target)
    companions = {name: f"{reference}.{name}" for name in described["companions"]}
    implementation = Implementation(target, reference, operation=operation, **{**companions, **known})
    return _with_grade(_with_library(implementation, described["libraries"], known, isolate=isolate), known)


def _registered(name: str, operation: str) -> Implementation:
    try:
        return get(name, operation)
    except UnknownName as error:
        looks_like_place = name.endswith(".py") or "." in name
        hint = f"; what a module holds is named as {name}:ATTRIBUTE" if looks_like_place else ""
        raise UsageError(f"{error}{hint}") from None


def _positional(operation: str) -> list[str]:
    return [argument.name for argument in get_operation(operation).arguments if not argument.optional]


def _described(target: str, operation: str, environment: Mapping[str, str], python: str | None, *, isolate: bool) -> dict[str, Any]:
    """What a worker that imports the target says about it; importing it may end the worker."""
    if not isolate:
        return describe_target(absolute(target), len(_positional(operation)))
    limits = Limits()
    worker = WorkerProcess(environment, python, limits)
    try:
        request = {"do": "describe", "reference": absolute(target), "positional": len(_positional(operation))}
        reply = worker.request(request, limits.load_seconds)
    finally:
        worker.close()
    if isinstance(reply, Crash):
        raise UsageError(f"{target}: the process that imported it ended: {one_line(reply.message)}")
    if "error" in reply:
        raise UsageError(reply["error"])
    described: dict[str, Any] = reply["target"]
    return described


def _declared(target: str, members: Sequence[tuple[str, str, str]], operation: str | None) -> Implementation:
    """The Implementation among those declared; its functions become references, so that another process finds them."""
    wanted = [where for _, its_operation, where in members if operation is None or its_operation == operation]
    if len(wanted) > 1:
        wanted = [where for _, its_operation, where in members if its_operation == (operation or DEFAULT_OPERATION)]
    if len(wanted) != 1:
        held = ", ".join(f"{name} for {its_operation} ({where.rpartition(':')[2]})" for name, its_operation, where in members)
        raise UsageError(f"{target} declares {held}; name one of them, or an operation")
    declared = load_reference(wanted[0])
    assert isinstance(declared, Implementation)
    return _by_reference(declared, wanted[0])


def _with_library(implementation: Implementation, libraries: Sequence[str], known: Mapping[str, Any], *, isolate: bool) -> Implementation:
    """With the first array library whose arrays it takes: one tiny call each; the likeliest where none will do."""
    if "array" in known:
        return implementation
    candidates = [replace(implementation, array=library) for library in libraries]
    if len(candidates) == 1:
        return candidates[0]
    refusals: list[str] = []
    calls = 0
    for candidate in candidates:
        reason, made = _refusal(candidate, isolate=isolate)
        calls += made
        if reason is None:
            return replace(candidate, tried_calls=calls)
        refusals.append(f"{candidate.array} arrays: {reason}")
    return replace(candidates[0], tried=tuple(refusals[1:]), tried_calls=calls)


def _with_grade(implementation: Implementation, known: Mapping[str, Any]) -> Implementation:
    assumed = None if "grade" in known else assumed_grade(implementation)
    return implementation if assumed is None else replace(implementation, grade=assumed)


def _refusal(implementation: Implementation, *, isolate: bool) -> tuple[str | None, int]:
    """Why it doesn't answer the commonest call, nor the same with probabilities or int32; None where it does; how many calls it took."""
    subject = Isolated(implementation) if isolate else InProcess(implementation)
    operation = get_operation(implementation.operation)
    reasons: list[str] = []
    try:
        for sample in _commonest(operation):
            outcome = subject.call(sample.call())
            # A crash says nothing about the library, and may cost the time of a compilation.
            if outcome.accepted:
                return None, len(reasons) + 1
            reasons.append(outcome.refusal)
        return reasons[0], len(reasons)
    finally:
        subject.close()


def _commonest(operation: Operation) -> list[Sample]:
    kinds = [Sample(operation, targets=kind) for kind in operation.target_kinds]
    return [*kinds, Sample(operation, target_dtype="int32")] if kinds else [Sample(operation)]
