"""Small NumPy kernels for the runner's tests: an honest one, and one for each sort of mistake."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def honest(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """Class indices, logits (N, C), everything in float64."""
    keep, losses = _losses(logits, target, ignore_index)
    return _reduced(losses, keep.sum(), reduction, logits.dtype)


def counts_ignored(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    keep, losses = _losses(logits, target, ignore_index)
    return _reduced(losses, keep.size, reduction, logits.dtype)


def only_int32(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    if target.dtype != np.int32:
        raise TypeError("int32 only")
    return honest(logits, target, ignore_index=ignore_index, reduction=reduction)


def only_int32_wrong(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    with np.errstate(over="ignore"):
        return only_int32(logits, target, ignore_index=ignore_index, reduction=reduction) * logits.dtype.type(2)


def raises_for_negative_labels(logits: Array, target: Array, *, reduction: str = "mean") -> Any:
    if (target < 0).any():
        raise IndexError("a negative label")
    return honest(logits, target, reduction=reduction)


def softmax_along_axis_1(logits: Array, axis: int) -> Any:
    if axis != 1:
        raise ValueError("axis 1 only")
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(logits.dtype)


def scalar_for_none(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    keep, losses = _losses(logits, target, ignore_index)
    return _reduced(losses, keep.sum(), "sum" if reduction == "none" else reduction, logits.dtype)


def float64_loss(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    keep, losses = _losses(logits, target, ignore_index)
    return _reduced(losses, keep.sum(), reduction, np.dtype(np.float64))


def refuses_five_rows(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    if logits.shape[0] == 5:
        raise RuntimeError("five rows")
    return honest(logits, target, ignore_index=ignore_index, reduction=reduction)


def writes_logits(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    result = honest(logits, target, ignore_index=ignore_index, reduction=reduction)
    if logits.flags.writeable:
        logits += 1
    return result


def clamps_targets(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    clamped = np.where(target == ignore_index, ignore_index, np.clip(target, 0, logits.shape[1] - 1))
    return honest(logits, clamped, ignore_index=ignore_index, reduction=reduction)


def no_max_subtraction(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    _check(logits, target, ignore_index, reduction)
    wide = logits.astype(np.float32 if logits.dtype.itemsize < 8 else np.float64)
    keep = target != ignore_index
    with np.errstate(all="ignore"):
        losses = np.log(np.exp(wide).sum(axis=1)) - _picked(wide, np.where(keep, target, 0))
    return _reduced(np.where(keep, losses, 0), keep.sum(), reduction, logits.dtype)


def half_precision(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """Rounds every row's loss to float16, whatever the logits' dtype."""
    keep, losses = _losses(logits, target, ignore_index)
    with np.errstate(over="ignore"):
        rounded = losses.astype(np.float16).astype(np.float64)
    return _reduced(rounded, keep.sum(), reduction, logits.dtype)


def ends_the_process(logits: Array, target: Array, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    import os

    if logits.shape[1] > 8:
        os._exit(7)
    return honest(logits, target, ignore_index=ignore_index, reduction=reduction)


def _check(logits: Array, target: Array, ignore_index: int, reduction: str) -> None:
    if logits.ndim != 2 or target.shape != logits.shape[:1] or target.dtype.kind not in "iub":
        raise ValueError(f"logits {logits.shape} and target {target.shape} of {target.dtype} do not go together")
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"unknown reduction {reduction!r}")
    outside = ((target < 0) | (target >= logits.shape[1])) & (target != ignore_index)
    if outside.any():
        raise IndexError(f"target {target[outside][0]} is no class")


def _losses(logits: Array, target: Array, ignore_index: int) -> tuple[Array, Array]:
    _check(logits, target, ignore_index, "mean")
    keep = np.asarray(target != ignore_index)
    with np.errstate(all="ignore"):
        wide = logits.astype(np.longdouble if logits.dtype.itemsize == 8 else np.float64)
        shifted = wide - wide.max(axis=1, keepdims=True) if wide.size else wide
        lse = np.log(np.exp(shifted).sum(axis=1))
        losses = lse - _picked(shifted, np.where(keep, target, 0)) if wide.size else np.zeros(len(wide))
    return keep, np.where(keep, losses, 0)


def _picked(logits: Array, target: Array) -> Array:
    picked: Array = logits[np.arange(len(logits)), target.astype(np.int64)]
    return picked


def _reduced(losses: Array, count: Any, reduction: str, dtype: np.dtype[Any]) -> Any:
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"unknown reduction {reduction!r}")
    with np.errstate(all="ignore"):
        if reduction == "none":
            return losses.astype(dtype)
        total = losses.sum()
        return np.asarray(total if reduction == "sum" else total / np.float64(count)).astype(dtype)
