"""Where the code of an implementation can be imported from, and how it wants to be called: plain data for records and scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from xentfuzz.implementation import FUNCTIONS, PLAIN_TYPES, Implementation
from xentfuzz.operations import get_operation
from xentfuzz.worker.reference import reference_to


class Form(msgspec.Struct, frozen=True, omit_defaults=True):
    """kind: "function", "autograd_function" (called through `.apply`) or "module" (a class whose constructor takes the options).

    parameters: names after the arrays that go by position, None where the signature is not readable. required: those without a
    default, or with another one than the option that they stand for.
    """

    kind: str = "function"
    parameters: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """How to call an implementation without xentfuzz.

    places: "forward", "backward", "value_and_grad" -> "package.module:attribute" or "file.py:attribute", the file relative to the current
    directory; "" where a function has no name to import it by (a lambda, one made inside another). An absent backward is the library's
    autodiff. forms: the same keys. loss_dtype: of the loss where it is not that of the logits. grade: for the case's dtype. The others
    are those of Implementation.
    """

    places: dict[str, str]
    forms: dict[str, Form] = {}
    array: str = "numpy"
    device: str = "cpu"
    loss_dtype: str | None = None
    grade: str = "lse/any"
    renames: dict[str, str] = {}
    fixed: dict[str, Any] = {}
    environment: dict[str, str] = {}

    def form(self, function: str) -> Form:
        return self.forms.get(function) or Form()


def source_of(
    implementation: Implementation, dtype: str, description: Mapping[str, Any] | None = None, loss_dtype: str | None = None
) -> Source:
    """The source of an implementation for arrays of `dtype`; nothing is imported for it.

    description: what its subject's `describe()` gives. loss_dtype: where a probe found another one than the logits'.
    """
    declared = {name: getattr(implementation, name) for name in FUNCTIONS}
    return Source(
        places={name: _place(function) for name, function in declared.items() if function is not None},
        forms={name: _form(described, _defaults(implementation)) for name, described in (description or {}).items()},
        array=implementation.array,
        device=implementation.device,
        loss_dtype=loss_dtype or implementation.loss_dtype_for(dtype),
        grade=implementation.grade_for(dtype),
        renames=dict(implementation.renames),
        fixed={name: value if isinstance(value, PLAIN_TYPES) else repr(value) for name, value in implementation.fixed.items()},
        environment=dict(implementation.environment),
    )


def _defaults(implementation: Implementation) -> dict[str, Any]:
    """The options' defaults in the functions' own spelling."""
    spelling = {ours: own for own, ours in implementation.renames.items()}
    return {spelling.get(name, name): value for name, value in get_operation(implementation.operation).defaults.items()}


def _form(described: Mapping[str, Any], defaults: Mapping[str, Any]) -> Form:
    named = described["parameters"]["named"]
    if named is None:
        return Form(described["kind"])
    required = tuple(parameter["name"] for parameter in named if parameter["required"] or _has_another_default(parameter, defaults))
    return Form(described["kind"], tuple(parameter["name"] for parameter in named), required)


def _has_another_default(parameter: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
    own = parameter.get("default", ())
    return parameter["name"] in defaults and bool(own) and own[0] != defaults[parameter["name"]]


def _place(function: Callable[..., Any] | str) -> str:
    reference = function if isinstance(function, str) else reference_to(function) or ""
    where, _, path = reference.rpartition(":")
    return f"{_relative(Path(where))}:{path}" if where.endswith(".py") else reference


def _relative(file: Path) -> str:
    file = file.resolve()
    # Of a file elsewhere the name alone: a record holds no path of a machine.
    return file.relative_to(Path.cwd()).as_posix() if file.is_relative_to(Path.cwd()) else file.name
