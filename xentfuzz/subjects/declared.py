"""The card of an implementation that says what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.operations.operation import Operation
from xentfuzz.operations.options import IGNORE_INDEX
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.outcome import FUNCTIONS
from xentfuzz.subjects.planning import values_in_force
from xentfuzz.subjects.signature import fixed_value, supported_options, takes_argument

AUTODIFF = ("torch", "jax")
# Layouts that no array of the library can have, whatever an implementation could do with them.
NOT_HELD = {
    "numpy": frozenset[str](),
    "torch": frozenset({"negative_stride", "read_only"}),
    "jax": frozenset(LAYOUTS) - {"contiguous"},
    "cuda": frozenset({"unaligned"}),
}


def declared_capabilities(implementation: Implementation, description: Mapping[str, Any]) -> Capabilities:
    """Everything that is declared, and all that the operation knows where nothing is said. `description`: of the loaded functions."""
    operation = get_operation(implementation.operation)
    supports = implementation.supports or {}
    targets = tuple(kind for kind in supports.get("targets", operation.target_kinds) if kind in operation.target_kinds)
    not_held = NOT_HELD[implementation.array]
    return Capabilities(
        operation=operation.name,
        dtypes=tuple(implementation.dtypes or FLOAT_NAMES),
        targets=targets,
        target_dtypes=tuple(supports.get("target_dtypes", ("int64",))) if targets else (),
        ranks=tuple(supports.get("ranks", operation.ranks)),
        layouts=tuple(supports.get("layouts", (name for name in LAYOUTS if name not in not_held))),
        weight=supports.get("weight", True)
        and operation.weight is not None
        and takes_argument(description, implementation, operation.weight.name),
        options=_options(implementation, description, operation),
        functions=functions_of(implementation),
        gradients=_gradients(implementation, operation, targets),
        loss_dtypes=loss_dtypes(implementation),
        largest_class_count=supports.get("largest_class_count"),
        largest_row_count=supports.get("largest_row_count"),
        class_count_divisor=supports.get("class_count_divisor", 1),
        largest_logit=supports.get("largest_logit"),
        array=implementation.array,
        device=implementation.device,
        rejections=(f"{implementation.array} arrays can't be {', '.join(name for name in LAYOUTS if name in not_held)}",)
        if not_held
        else (),
    )


def functions_of(implementation: Implementation) -> tuple[str, ...]:
    """What can be called; backward by autodiff included, where there is a gradient at all."""
    derived = {"backward"} if implementation.array in AUTODIFF and (implementation.supports or {}).get("gradients") != () else set()
    return tuple(name for name in FUNCTIONS if getattr(implementation, name) is not None or name in derived)


def loss_dtypes(implementation: Implementation) -> dict[str, str]:
    """Logits' dtype -> loss's dtype, where that is declared."""
    declared = {dtype: implementation.loss_dtype_for(dtype) for dtype in implementation.dtypes or FLOAT_NAMES}
    return {dtype: loss_dtype for dtype, loss_dtype in declared.items() if loss_dtype is not None}


def _options(implementation: Implementation, description: Mapping[str, Any], operation: Operation) -> dict[str, tuple[Any, ...] | None]:
    declared = (implementation.supports or {}).get("options", {})
    options: dict[str, tuple[Any, ...] | None] = {}
    taken, in_force = supported_options(description, implementation, operation), values_in_force(implementation)
    for option in operation.options:
        fixed = fixed_value(implementation, option)
        if option.name in taken and fixed:
            # No row is ignored by what is no label.
            options[option.name] = () if option.name == IGNORE_INDEX.name and not isinstance(fixed[0], int) else fixed
        elif option.name in taken:
            values = declared.get(option.name)
            options[option.name] = None if values is None else tuple(values)
        elif option.name == IGNORE_INDEX.name and declared.get(option.name) == ():
            options[option.name] = ()
        elif option.name in in_force:
            options[option.name] = (in_force[option.name],)
        elif option.always:
            # An axis that can't be given is the last one.
            options[option.name] = (option.default,)
    return options


def _gradients(implementation: Implementation, operation: Operation, targets: tuple[str, ...]) -> tuple[str, ...]:
    usual = usual_gradients(implementation, operation, targets)
    declared = (implementation.supports or {}).get("gradients")
    return usual if declared is None else tuple(name for name in usual if name.removeprefix("grad_") in declared)


def usual_gradients(implementation: Implementation, operation: Operation, targets: tuple[str, ...]) -> tuple[str, ...]:
    """The gradients that can be had where nothing is said of them."""
    first = operation.arguments[0].name
    if implementation.backward is None and implementation.array in AUTODIFF:
        later = "probabilities" in targets
        return tuple(
            f"grad_{argument.name}" for argument in operation.arguments if argument.differentiable and (later or argument.name == first)
        )
    return (f"grad_{first}",) if implementation.backward is not None or implementation.value_and_grad is not None else ()
