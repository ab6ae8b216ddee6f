"""The part of the input space that an implementation takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import lcm
from typing import Any

from xentfuzz.operations.operation import Operation
from xentfuzz.recipes.space import Space
from xentfuzz.subjects.capabilities import Capabilities, classes_told_apart


def common_space(operation: Operation, dtype: str, family: str) -> Space:
    """Everything that the operation knows, but for options that only some signatures have."""
    options = {option.name: None for option in operation.options if not option.opt_in}
    return Space(operation.name, dtype, family, ranks=operation.ranks, options=options)


def narrowed(space: Space, draws: Mapping[str, Any]) -> Space:
    """The part of a space that a check draws from; every rank that there is where it wants none of these."""
    ranks = tuple(rank for rank in space.ranks if rank in draws.get("ranks", space.ranks))
    return replace(space, **{**draws, "ranks": ranks or space.ranks})


def own_space(space: Space, operation: Operation, capabilities: Capabilities) -> Space | None:
    """`space` limited to what the implementation takes; equal to `space` where it takes everything, None where nothing is left."""
    targets = tuple(kind for kind in space.targets if kind in capabilities.targets) if operation.target is not None else space.targets
    ranks = tuple(rank for rank in space.ranks if rank in capabilities.ranks)
    shared = {name: (space.options[name], values) for name, values in capabilities.options.items() if name in space.options}
    if not targets or not ranks or any(_exclude_each_other(*values) for values in shared.values()):
        return None
    return replace(
        space,
        targets=targets,
        target_dtypes=_target_dtypes(space, capabilities),
        ranks=ranks,
        layouts=None if not capabilities.layouts else capabilities.layouts,
        refused_layouts=capabilities.refused_layouts,
        weight=space.weight and (capabilities.weight or operation.weight is None),
        options={name: _both(*values) for name, values in shared.items()},
        class_counts=capabilities.class_counts,
        largest_class_count=capabilities.most_classes,
        largest_row_count=capabilities.largest_row_count,
        class_count_divisor=_divisor(space.class_count_divisor, capabilities),
        largest_logit=capabilities.largest_logit,
    )


def _target_dtypes(space: Space, capabilities: Capabilities) -> tuple[str, ...]:
    """Those of the space that are taken; where none is, as by kernels for int32 alone, those that are."""
    both = tuple(name for name in space.target_dtypes if name in capabilities.target_dtypes)
    if both or not capabilities.target_dtypes:
        return both or space.target_dtypes
    widest = max(capabilities.target_dtypes, key=classes_told_apart)
    # Checks change labels too; where classes may be many, they fit the widest dtypes only.
    return tuple(name for name in capabilities.target_dtypes if classes_told_apart(name) == classes_told_apart(widest))


def _divisor(wanted: int, capabilities: Capabilities) -> int:
    """A multiple of `wanted` that the implementation takes, or its own divisor where it takes none."""
    both, largest = lcm(wanted, capabilities.class_count_divisor), capabilities.most_classes
    return both if largest is None or both <= largest else capabilities.class_count_divisor


def _both(left: tuple[Any, ...] | None, right: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    """The values that both take; None stands for all."""
    if left is None or right is None:
        return right if left is None else left
    return tuple(value for value in left if value in right)


def _exclude_each_other(left: tuple[Any, ...] | None, right: tuple[Any, ...] | None) -> bool:
    """Whether both take some value, but not the same; an empty set by itself has a meaning of its own for ignore_index."""
    return bool(left and right) and not _both(left, right)


def opt_in_space(space: Space, operation: Operation, capabilities: Capabilities) -> Space | None:
    """The own space with the options that only some signatures have, or None where there are none."""
    names = {option.name for option in operation.options if option.opt_in} & set(capabilities.options)
    if not names:
        return None
    own = own_space(space, operation, capabilities)
    if own is None:
        return None
    return replace(own, options={**own.options, **{name: capabilities.options[name] for name in sorted(names)}})
