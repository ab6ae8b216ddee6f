"""The part of the input space that an implementation takes, and why a case is outside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from xentfuzz.operations.case import Case
from xentfuzz.operations.operation import Operation
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.space import Space
from xentfuzz.subjects.capabilities import Capabilities


def common_space(operation: Operation, dtype: str, family: str) -> Space:
    """Everything that the operation knows, but for options that only some signatures have."""
    return Space(operation.name, dtype, family, options={option.name: None for option in operation.options if not option.opt_in})


def own_space(space: Space, operation: Operation, capabilities: Capabilities) -> Space:
    """`space` limited to what the implementation takes; `space` itself (equal) where it takes everything."""
    has_target = any(argument.kind == "target" for argument in operation.arguments)
    targets = tuple(kind for kind in space.targets if kind in capabilities.targets) if has_target else space.targets
    return replace(
        space,
        targets=targets,
        target_dtypes=tuple(name for name in space.target_dtypes if name in capabilities.target_dtypes) or space.target_dtypes,
        ranks=tuple(rank for rank in space.ranks if rank in capabilities.ranks),
        layouts=None if not capabilities.layouts else capabilities.layouts,
        weight=space.weight and (capabilities.weight or not has_weight(operation)),
        options={name: values for name, values in capabilities.options.items() if name in space.options} if capabilities.options else {},
        class_counts=capabilities.class_counts,
        largest_class_count=capabilities.largest_class_count,
        class_count_divisor=capabilities.class_count_divisor,
    )


def opt_in_space(space: Space, operation: Operation, capabilities: Capabilities) -> Space | None:
    """The own space with the options that only some signatures have, or None where there are none."""
    names = {option.name for option in operation.options if option.opt_in} & set(capabilities.options)
    if not names:
        return None
    own = own_space(space, operation, capabilities)
    return replace(own, options={**own.options, **{name: capabilities.options[name] for name in sorted(names)}})


def has_weight(operation: Operation) -> bool:
    return any(argument.kind == "weight" for argument in operation.arguments)


def refusal(recipe: Recipe, case: Case, operation: Operation, capabilities: Capabilities) -> str | None:
    """Why the implementation doesn't take the case, or None."""
    logits = case.values[operation.arguments[0].name]
    if logits.ndim not in capabilities.ranks:
        return f"{logits.ndim}-d {operation.arguments[0].name}"
    return (
        _target_refusal(case, capabilities)
        or _option_refusal(case.options, operation.defaults, capabilities)
        or _layout_refusal(recipe, capabilities)
        or _class_count_refusal(logits.shape[0 if logits.ndim == 1 else 1], capabilities)
    )


def _target_refusal(case: Case, capabilities: Capabilities) -> str | None:
    target = case.values.get("target")
    if target is None:
        return None
    kind = target_kind(case)
    if kind not in capabilities.targets:
        return f"{kind} targets"
    if kind == "index" and target.dtype.name not in capabilities.target_dtypes:
        # A dtype that is not declared is tried all the same: refusing it is fine, a wrong answer is not.
        return None
    if "weight" in case.arrays and not capabilities.weight:
        return "weight"
    return None


def target_kind(case: Case) -> str:
    """Probabilities exactly when the target has the logits' shape and a floating-point dtype."""
    target = case.values["target"]
    first = next(iter(case.values.values()))
    return "probabilities" if target.shape == first.shape and target.dtype.kind in "fV" else "index"


def _option_refusal(options: Mapping[str, Any], defaults: Mapping[str, Any], capabilities: Capabilities) -> str | None:
    for name, value in options.items():
        known = capabilities.options.get(name, ())
        if value != defaults.get(name) and known is not None and value not in known:
            return f"{name}={value!r}" if known else name
    return None


def _layout_refusal(recipe: Recipe, capabilities: Capabilities) -> str | None:
    if not capabilities.layouts:
        return None
    refused = sorted({array.layout for array in recipe.arrays.values()} - set(capabilities.layouts))
    return f"{refused[0]} layout" if refused else None


def _class_count_refusal(classes: int, capabilities: Capabilities) -> str | None:
    if capabilities.largest_class_count is not None and classes > capabilities.largest_class_count:
        return f"more than {capabilities.largest_class_count} classes"
    if classes % capabilities.class_count_divisor:
        return f"class counts that {capabilities.class_count_divisor} doesn't divide"
    return None
