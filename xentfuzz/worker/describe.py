"""What a process that has loaded something can say about it to one that hasn't: plain data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from xentfuzz.errors import UsageError
from xentfuzz.implementation import FUNCTIONS, Implementation
from xentfuzz.worker.callee import Callee
from xentfuzz.worker.forms import Form, form_of
from xentfuzz.worker.parameters import Parameter, Parameters
from xentfuzz.worker.reference import load_reference

# A word in an annotation -> the array library that it tells of.
ANNOTATION_WORDS = {"torch": "torch", "Tensor": "torch", "jax": "jax", "ndarray": "numpy", "NDArray": "numpy", "ArrayLike": "numpy"}
FRAMEWORKS = ("torch", "jax")


def describe_callee(callee: Callee) -> dict[str, Any]:
    """The form and the parameters of each function, by name."""
    return {name: describe_form(form) for name, form in callee.forms.items()}


def describe_form(form: Form) -> dict[str, Any]:
    return {"kind": form.kind, "parameters": asdict(form.parameters)}


def parameters_in(description: dict[str, Any]) -> Parameters:
    """The Parameters that `describe_form` described."""
    found = description["parameters"]
    named = None if found["named"] is None else tuple(Parameter(**parameter) for parameter in found["named"])
    return Parameters(named, found["open"], found["starred"])


def describe_target(reference: str, positional: int) -> dict[str, Any]:
    """What a reference leads to: Implementations, or a callable whose first `positional` parameters are arrays.

    declares: name, operation and reference of each Implementation; else kind, the companions that are its attributes (backward,
    value_and_grad), and the array libraries that may be its own, likeliest first. Raises UsageError.
    """
    found = load_reference(reference)
    declared = declarations(found, reference)
    if declared is not None:
        return {"declares": [[member.name, member.operation, where] for member, where in declared]}
    return describe_object(found, positional)


def describe_object(found: Any, positional: int) -> dict[str, Any]:
    """The same for a callable. Raises UsageError for what can't be called."""
    try:
        form = form_of(found, positional)
    except UsageError as error:
        raise UsageError(f"{error}{_other_operation(found, positional)}") from None
    return {"kind": form.kind, "companions": companions(found, form), "libraries": array_libraries(found, form)}


def companions(found: Any, form: Form) -> list[str]:
    """The other functions that a function has as attributes, of backward and value_and_grad."""
    names = [name for name in FUNCTIONS if name != "forward"]
    # A class's backward is autograd's, whose arguments are others.
    return [name for name in names if callable(getattr(found, name, None))] if form.kind == "function" else []


def _other_operation(found: Any, positional: int) -> str:
    """The suggestion for what takes one array where a target is wanted too."""
    if positional == 1:
        return ""
    try:
        form_of(found, 1)
    except UsageError:
        return ""
    return "; --operation softmax?"


def declarations(found: Any, reference: str) -> list[tuple[Implementation, str]] | None:
    """The Implementations in `found` with a reference to each, or None where it is something else."""
    if isinstance(found, Implementation):
        return [(found, reference)]
    if isinstance(found, Sequence) and found and all(isinstance(member, Implementation) for member in found):
        return [(member, f"{reference}.{index}") for index, member in enumerate(found)]
    return None


def array_libraries(function: Any, form: Form) -> list[str]:
    """The array libraries that a callable may take, likeliest first: what its annotations say, else NumPy and what has been imported."""
    if form.kind != "function":
        return ["torch"]
    words = " ".join(map(str, _annotations(function).values()))
    said = [library for word, library in ANNOTATION_WORDS.items() if word in words]
    if said:
        return said[:1]
    return ["numpy", *(library for library in FRAMEWORKS if library in sys.modules)]


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    plain = getattr(function, "func", function)  # of a functools.partial
    found = getattr(plain, "__annotations__", {})
    return found if isinstance(found, dict) else {}
