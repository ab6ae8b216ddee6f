"""Where the classes of a first argument lie, and the shapes of arrays whose axes have names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xentfuzz.operations.operation import Operation
from xentfuzz.operations.rows import Rows, class_axis
from xentfuzz.recipes.recipe import GRAD_OUTPUT


def class_rows(shape: tuple[int, ...], options: Mapping[str, Any]) -> Rows:
    """The rows of a first argument of that shape: along the option `axis` where there is one, else as losses have them."""
    return Rows(shape, class_axis(shape, options))


def named_axes(operation: Operation) -> dict[str, tuple[str, ...]]:
    """argument name -> its axes, the upstream gradient's too; empty where axes have no names."""
    if operation.result_axes is None:
        return {}
    return {argument.name: argument.axes for argument in operation.arguments} | {GRAD_OUTPUT: operation.result_axes}


def shape_along(axes: tuple[str, ...], operation: Operation, shape: tuple[int, ...], sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of an array with these axes, beside a first argument of `shape`. sizes: of the axes that this one does not have."""
    lengths = {**sizes, **dict(zip(operation.arguments[0].axes, shape, strict=True))}
    return tuple(lengths[axis] for axis in axes)
