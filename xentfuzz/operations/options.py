"""The options of the losses and of the softmaxes, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xentfuzz.errors import UsageError
from xentfuzz.operations.operation import Option

REDUCTIONS = ("mean", "sum", "none")


def _ignorable(shape: tuple[int, ...], target: str) -> tuple[int, ...]:
    """Inside and outside of [0, C), what wraps to a class in 8 or 16 bits too; with probability targets 0 and more are errors."""
    if target != "index":
        return (-100, -1)
    classes = shape[0] if len(shape) == 1 else shape[1]
    return tuple(dict.fromkeys((-100, 0, max(classes - 1, 0), -1, classes, 255, classes // 2, 1 << 16)))


def _axes(shape: tuple[int, ...], target: str) -> tuple[int, ...]:
    del target
    rank = len(shape)
    return (-1, *(axis for axis in range(-rank, rank) if axis != -1))


REDUCTION = Option(
    "reduction",
    "mean",
    REDUCTIONS,
    summary="none: a loss for each row; sum; mean: divided by the targets' weights",
    invalid=("median",),
)
IGNORE_INDEX = Option(
    "ignore_index",
    -100,
    _ignorable,
    summary="rows with this target have no loss, no gradient and no part in the mean",
    spellings=("pad_id", "padding_idx", "ignore_label", "ignored_label", "ignore_class", "ignored_index"),
)
LABEL_SMOOTHING = Option(
    "label_smoothing",
    0.0,
    (0.0, 0.1, 1.0, 0.001, 0.3, 1e-5, 0.95),
    summary="the part of the target spread evenly over all classes",
    invalid=(1.5, 1.125, float("inf")),
    spellings=("alpha", "eps", "epsilon", "smoothing", "smooth", "smooth_factor", "smooth_eps"),
)
SIZE_AVERAGE = Option("size_average", None, (None, True, False), opt_in=True, summary="deprecated: overrides reduction unless None")
REDUCE = Option("reduce", None, (None, True, False), opt_in=True, summary="deprecated: overrides reduction unless None")
AXIS = Option("axis", -1, _axes, always=True, summary="the axis of the classes", spellings=("dim", "class_axis"))


def effective_reduction(options: Mapping[str, Any]) -> str:
    """The reduction in force: torch's deprecated `size_average` and `reduce` override `reduction` where either is not None.

    Raises UsageError for a reduction that does not exist.
    """
    size_average, reduce = options.get("size_average"), options.get("reduce")
    if size_average is not None or reduce is not None:
        if reduce is False:
            return "none"
        return "sum" if size_average is False else "mean"
    reduction = str(options.get("reduction", "mean"))
    if reduction not in REDUCTIONS:
        raise UsageError(f"reduction={reduction!r} is none of {', '.join(REDUCTIONS)}")
    return reduction
