"""From a declaration and its operation to the plan that a callee is made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from xentfuzz.errors import UsageError
from xentfuzz.implementation import FUNCTIONS, Implementation
from xentfuzz.operations import get_operation
from xentfuzz.registry import reference_of
from xentfuzz.worker.plan import Plan
from xentfuzz.worker.reference import reference_to


def plan_of(implementation: Implementation, *, elsewhere: bool) -> Plan:
    """elsewhere: the functions are loaded in another process. Raises UsageError for one that no other process can find."""
    operation = get_operation(implementation.operation)
    functions = {name: getattr(implementation, name) for name in FUNCTIONS if getattr(implementation, name) is not None}
    if elsewhere:
        functions = {name: _reference(implementation, name, function) for name, function in functions.items()}
    return Plan(
        name=implementation.name,
        operation=operation.name,
        functions=functions,
        array=implementation.array,
        device=implementation.device,
        positional=tuple(argument.name for argument in operation.arguments if not argument.optional),
        optional=tuple(argument.name for argument in operation.arguments if argument.optional),
        differentiable=tuple(argument.name for argument in operation.arguments if argument.differentiable),
        defaults=dict(operation.defaults),
        always=frozenset(option.name for option in operation.options if option.always),
        in_force=values_in_force(implementation),
        spelling=spelling_of(implementation),
        fixed=dict(implementation.fixed),
        unavailable=_test_of_availability(implementation) if implementation.python else None,
    )


def spelling_of(implementation: Implementation) -> dict[str, str]:
    """Our name of what is renamed -> its own."""
    return {ours: own for own, ours in implementation.renames.items()}


def values_in_force(implementation: Implementation) -> dict[str, Any]:
    """Option -> the only value that is declared, if not the default: where forward has no parameter for it, that is what it does."""
    declared, defaults = (implementation.supports or {}).get("options", {}), get_operation(implementation.operation).defaults
    only = {name: values[0] for name, values in declared.items() if values is not None and len(values) == 1}
    return {name: value for name, value in only.items() if value != defaults[name]}


def _reference(implementation: Implementation, name: str, function: Callable[..., Any] | str) -> str:
    if isinstance(function, str):
        return absolute(function)
    declared = reference_of(implementation)
    if declared is not None:
        return f"{declared}.{name}"
    found = reference_to(function)
    if found is None:
        raise UsageError(
            f"{implementation.name}: its {name} can't be found by another process; define it at the top level of a module, "
            f'give it as "package.module:attribute", or run it without isolation'
        )
    return found


def _test_of_availability(implementation: Implementation) -> str | None:
    test, declared = implementation.unavailable, reference_of(implementation)
    if test is None or isinstance(test, str):
        return test
    return reference_to(test) if declared is None else f"{declared}.unavailable"


def absolute(reference: str) -> str:
    """A reference to a file that stays right when the current directory changes."""
    where, _, path = reference.rpartition(":")
    return f"{Path(where).resolve()}:{path}" if where.endswith(".py") else reference
