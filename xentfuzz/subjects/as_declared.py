"""What would hold an implementation to what a probe found: an Implementation as Python writes it, and options of the command line."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xentfuzz.implementation import DEFAULT_GRADE, DEFAULT_OPERATION, RANKS, Implementation
from xentfuzz.operations import get_operation
from xentfuzz.operations.options import IGNORE_INDEX, REDUCTION
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.declared import NOT_HELD, usual_gradients
from xentfuzz.subjects.planning import absolute

# What `supports` says and an option of its own, too.
WITH_AN_OPTION = {"largest_class_count": "--max-classes", "largest_row_count": "--max-rows", "largest_logit": "--max-logit"}


@dataclass(frozen=True)
class Declaration:
    """python: a call of Implementation; command: `xentfuzz check` with options that say the same."""

    python: str
    command: str


def declaration_of(implementation: Implementation, found: Capabilities, grade: str | Mapping[str, str] | None = None) -> Declaration:
    """grade: the one to be held to, None for its own."""
    grade = implementation.grade if grade is None else grade
    supports = _supports(implementation, found)
    return Declaration(_python(implementation, found, supports, grade), _options(implementation, found, supports, grade))


def with_declaration(implementation: Implementation, found: Capabilities, grade: str | Mapping[str, str] | None = None) -> Capabilities:
    """The card with the declaration at its end; nothing can hold to its card what takes nothing."""
    if not found.assumed or not found.dtypes:
        return found
    made = declaration_of(implementation, found, grade)
    return replace(found, declaration=made.python, command=made.command)


def _supports(implementation: Implementation, found: Capabilities) -> dict[str, Any]:
    """What `supports` has to say: all that is not taken for granted where it is silent."""
    operation = get_operation(found.operation)
    layouts = tuple(name for name in found.layouts if not any(name in names for names in found.refused_layouts.values()))
    said = {
        "targets": found.targets if found.targets != operation.target_kinds else None,
        "target_dtypes": found.target_dtypes if found.target_dtypes not in {(), ("int64",)} else None,
        "ranks": found.ranks if found.ranks != RANKS else None,
        "layouts": layouts if set(layouts) != set(LAYOUTS) - NOT_HELD[found.array] else None,
        "options": _values_of_options(found),
        "weight": False if "weight" in found.refused else None,
        "gradients": _gradients(implementation, found),
        "largest_class_count": found.largest_class_count,
        "largest_row_count": found.largest_row_count,
        "class_count_divisor": found.class_count_divisor if found.class_count_divisor > 1 else None,
        "largest_logit": found.largest_logit,
    }
    return {name: value for name, value in said.items() if value is not None}


def _values_of_options(found: Capabilities) -> dict[str, tuple[Any, ...]] | None:
    operation = get_operation(found.operation)
    values = {name: values for name, values in found.options.items() if values is not None}
    for option in operation.options:
        if option.name in found.refused:
            # No value of ignore_index would say that no row is ever ignored.
            values[option.name] = (option.default,) if option.name == IGNORE_INDEX.name else ()
        elif option.always and values.get(option.name) == (option.default,):
            # What can't be given needs no word.
            del values[option.name]
    return values or None


def _gradients(implementation: Implementation, found: Capabilities) -> tuple[str, ...] | None:
    """The arguments of which there is a gradient, where it isn't those of which there usually is one."""
    usual = usual_gradients(implementation, get_operation(found.operation), found.targets)
    return None if found.gradients == usual else tuple(name.removeprefix("grad_") for name in found.gradients)


def _python(implementation: Implementation, found: Capabilities, supports: dict[str, Any], grade: str | Mapping[str, str]) -> str:
    names = [("backward", implementation.backward), ("value_and_grad", implementation.value_and_grad)]
    functions = {name: _written(implementation, function) for name, function in names if function is not None}
    plain = {
        "operation": found.operation if found.operation != DEFAULT_OPERATION else None,
        "array": found.array if found.array != "numpy" else None,
        "device": found.device if found.device != "cpu" else None,
        "dtypes": found.dtypes,
        "supports": supports,
        "grade": grade if isinstance(grade, str) else dict(grade),
        "loss_dtype": dict(found.loss_dtypes) or None,
        **{name: dict(getattr(implementation, name)) or None for name in ("renames", "fixed", "environment")},
        "python": implementation.python,
        "mutates": tuple(implementation.mutates) or None,
        "aliases": implementation.aliases or None,
        "deterministic": False if not implementation.deterministic else None,
        "thread_safe": False if not implementation.thread_safe else None,
    }
    plain["grade"] = None if plain["grade"] == DEFAULT_GRADE else plain["grade"]
    parts = {**functions, **{name: repr(value) for name, value in plain.items() if value is not None}}
    name, forward = implementation.name.rpartition(":")[2], _written(implementation, implementation.forward)
    return f"Implementation({', '.join([repr(name), forward, *(f'{key}={value}' for key, value in parts.items())])})"


def _written(implementation: Implementation, function: Any) -> str:
    """A function by its name, a reference as it was given."""
    if not isinstance(function, str):
        return str(getattr(function, "__qualname__", type(function).__qualname__))
    return repr(_place(implementation, function))


def _place(implementation: Implementation, reference: str) -> str:
    own = absolute(implementation.name) if ":" in implementation.name else ""
    if own and reference.startswith(own):
        return implementation.name + reference.removeprefix(own)
    return reference.removeprefix(f"{Path.cwd()}{os.sep}")


def _options(implementation: Implementation, found: Capabilities, supports: dict[str, Any], grade: str | Mapping[str, str]) -> str:
    target = implementation.name if ":" in implementation.name else "TARGET"
    return shlex.join(["xentfuzz", "check", target, *_words(implementation, found, supports, grade)])


def _words(implementation: Implementation, found: Capabilities, supports: dict[str, Any], grade: str | Mapping[str, str]) -> Iterator[str]:
    if found.operation != DEFAULT_OPERATION:
        yield from ("--operation", found.operation)
    for option, function in (("--backward", implementation.backward), ("--value-and-grad", implementation.value_and_grad)):
        # An attribute of the target is found by itself.
        if isinstance(function, str) and not function.startswith(f"{implementation.forward}."):
            yield from (option, _place(implementation, function))
    yield from ("--array", found.array)
    plain = {"--device": found.device if found.device != "cpu" else None, "--python": implementation.python}
    yield from (word for option, value in plain.items() if value is not None for word in (option, value))
    for dtype in found.dtypes:
        yield from ("--dtype", dtype)
    if isinstance(grade, str) and grade != DEFAULT_GRADE:
        yield from ("--grade", grade)
    for own, ours in implementation.renames.items():
        yield from ("--rename", f"{ours}={own}")
    for name, value in implementation.fixed.items():
        yield from ("--fixed", f"{name}={value!r}")
    for name, value in implementation.environment.items():
        yield from ("--env", f"{name}={value}")
    yield from _words_of_supports(supports)


def _words_of_supports(supports: dict[str, Any]) -> Iterator[str]:
    options = dict(supports.get("options", {}))
    reduction = options.get(REDUCTION.name)
    if reduction is not None and len(reduction) == 1:
        yield from ("--reduction", options.pop(REDUCTION.name)[0])
    if options:
        yield from ("--supports", f"options={options!r}")
    for name, value in supports.items():
        if name in WITH_AN_OPTION:
            yield from (WITH_AN_OPTION[name], f"{value:g}" if isinstance(value, float) else str(value))
        elif name != "options":
            yield from ("--supports", f"{name}={_text(value)}")


def _text(value: Any) -> str:
    """Names and numbers without the signs of a tuple."""
    if isinstance(value, tuple):
        return ",".join(map(str, value)) if value else "()"
    return repr(value)
