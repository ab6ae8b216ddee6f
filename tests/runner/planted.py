"""A cross-entropy in which any of several faults can be planted, alone or together. A worker loads this file.

Every fault is a function of its own name below `FAULTS`; `planted(*names)` is the loss with these, its gradient as `backward`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
STATE: dict[Any, Any] = {}

# What each fault is told as: the kinds that its finding may have.
FAULTS: dict[str, set[str]] = {
    "mean_over_all_rows": {"value"},
    "weight_squared": {"value"},
    "gradient_of_ignored_rows": {"gradient"},
    "gradient_without_upstream": {"gradient"},
    "nan_for_minus_infinity": {"special", "value"},
    "rounded_to_float16": {"accuracy", "value"},
    "wraps_labels": {"accepted_invalid"},
    "spoils_logits": {"changed_input"},
    "remembers_the_count": {"stale_state"},
    "raises_for_five_classes": {"raised"},
    "raises_for_three_rows": {"raised"},
    "draws_random_numbers": {"global_state"},
}


def planted(*names: str) -> Any:
    faults = set(names)
    assert faults <= set(FAULTS)

    def loss(logits: Array, target: Array, weight: Array | None = None, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
        _check(logits, target, weight, ignore_index, reduction, faults)
        log_p, labels, kept = _parts(logits, target, ignore_index)
        if "nan_for_minus_infinity" in faults:
            log_p = np.where(np.isneginf(logits).any(axis=1, keepdims=True), np.nan, log_p)
        factors = _factors(weight, labels, kept, squared="weight_squared" in faults)
        with np.errstate(all="ignore"):
            rows = np.where(kept, -np.take_along_axis(log_p, labels[:, None], 1)[:, 0] * factors, 0)
            if "rounded_to_float16" in faults and logits.dtype == np.float32:
                rows = rows.astype(np.float16).astype(np.float64)
            result = {"none": rows, "sum": rows.sum(), "mean": rows.sum() / _count(logits, weight, labels, kept, faults)}[reduction]
        returned = np.asarray(result).astype(logits.dtype)
        _conduct(logits, faults)
        return returned

    def backward(
        grad_output: Array, logits: Array, target: Array, weight: Array | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> Array:
        _check(logits, target, weight, ignore_index, reduction, faults)
        log_p, labels, kept = _parts(logits, target, ignore_index)
        with np.errstate(all="ignore"):
            gradient = np.exp(log_p)
            gradient[np.arange(len(labels)), labels] -= 1
            upstream = np.asarray(grad_output, np.float64).reshape(-1)
            upstream = np.ones_like(upstream) if "gradient_without_upstream" in faults else upstream
            count = _count(logits, weight, labels, kept, faults) if reduction == "mean" else 1
            shown = np.ones_like(kept) if "gradient_of_ignored_rows" in faults else kept
            scale = upstream * _factors(weight, labels, shown, squared="weight_squared" in faults) / count
            return np.where(shown[:, None], gradient * scale[:, None], 0).astype(logits.dtype)

    loss.backward = backward  # type: ignore[attr-defined]
    return loss


def _check(logits: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str, faults: set[str]) -> None:
    if logits.ndim != 2 or target.shape != logits.shape[:1] or target.dtype.kind not in "iu" or not logits.shape[1]:
        raise ValueError("matrices with a label for each row")
    if weight is not None and weight.shape != logits.shape[1:]:
        raise ValueError("a weight for each class")
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"unknown reduction {reduction!r}")
    outside = (target != ignore_index) & ((target < 0) | (target >= logits.shape[1]))
    if outside.any() and "wraps_labels" not in faults:
        raise IndexError("a label that is no class")
    if "raises_for_five_classes" in faults and logits.shape[1] == 5:
        raise RuntimeError("five classes")
    if "raises_for_three_rows" in faults and logits.shape[0] == 3:
        raise ZeroDivisionError("three rows")


def _conduct(logits: Array, faults: set[str]) -> None:
    if "spoils_logits" in faults and logits.flags.writeable:
        logits[...] = 7
    if "draws_random_numbers" in faults:
        np.random.random()  # noqa: NPY002 - that is the fault


def _parts(logits: Array, target: Array, ignore_index: int) -> tuple[Array, Array, Array]:
    wide = logits.astype(np.longdouble if logits.dtype == np.float64 else np.float64)
    kept = np.asarray(target != ignore_index)
    with np.errstate(all="ignore"):
        shifted = wide - wide.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return log_p, np.where(kept, target, 0).astype(np.int64) % logits.shape[1], kept


def _factors(weight: Array | None, labels: Array, kept: Array, *, squared: bool) -> Array:
    if weight is None:
        return kept.astype(np.float64)
    factors: Array = np.where(kept, weight.astype(np.float64)[labels], 0)
    return factors**2 if squared else factors


def _count(logits: Array, weight: Array | None, labels: Array, kept: Array, faults: set[str]) -> Any:
    if "mean_over_all_rows" in faults and weight is None:
        return len(labels)
    count = _factors(weight, labels, kept, squared=False).sum()
    return STATE.setdefault(logits.shape, count) if "remembers_the_count" in faults and weight is None else count
