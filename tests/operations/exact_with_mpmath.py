"""The four operations by their textbook formulas in 60 digits: slow, obvious, and nothing in common with the code that they check."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

from xentfuzz.operations.case import Case

Array = np.ndarray[Any, Any]


def _numbers(array: Array) -> list[Any]:
    return [mpmath.mpf(float(value)) for value in array.reshape(-1)]


def _rows(array: Array, axis: int) -> list[list[Any]]:
    last = np.moveaxis(array, axis, -1)
    return [_numbers(row) for row in last.reshape(-1, last.shape[-1])]


def _log_softmax(row: list[Any]) -> list[Any]:
    lse = mpmath.log(mpmath.fsum(mpmath.exp(x) for x in row))
    return [x - lse for x in row]


def normalised(case: Case) -> dict[str, list[Any]]:
    """Of softmax and log_softmax: flattened in rows along the axis."""
    values, axis = case.values, case.options["axis"]
    results: dict[str, list[Any]] = {"value": [], "grad_logits": []}
    for row, g in zip(_rows(values["logits"], axis), _rows(values["grad_output"], axis), strict=True):
        logs = _log_softmax(row)
        p = [mpmath.exp(value) for value in logs]
        if case.operation == "softmax":
            mean = mpmath.fsum(a * b for a, b in zip(p, g, strict=True))
            results["value"] += p
            results["grad_logits"] += [a * (b - mean) for a, b in zip(p, g, strict=True)]
        else:
            total = mpmath.fsum(g)
            results["value"] += logs
            results["grad_logits"] += [b - a * total for a, b in zip(p, g, strict=True)]
    return results


def _coefficients(case: Case, classes: int) -> tuple[list[list[Any]], Any]:
    """q of every row, and the denominator of the mean."""
    values, options = case.values, case.options
    a = mpmath.mpf(options.get("label_smoothing", 0.0))
    w = _numbers(values["weight"]) if "weight" in values else [mpmath.mpf(1)] * classes
    first = values["log_probs" if case.operation == "nll_loss" else "logits"]
    if values["target"].shape == first.shape and values["target"].dtype.kind in "fV":
        t = _rows(values["target"], min(1, first.ndim - 1))
        return [[w[c] * ((1 - a) * row[c] + a / classes) for c in range(classes)] for row in t], mpmath.mpf(len(t))
    rows, denominator = [], mpmath.mpf(0)
    for y in values["target"].reshape(-1).tolist():
        kept = y != options["ignore_index"]
        denominator += w[y] if kept else 0
        rows.append([((1 - a) * w[c] * (c == y) + a / classes * w[c]) * kept for c in range(classes)])
    return rows, denominator


def loss(case: Case) -> dict[str, list[Any]]:
    """Of nll_loss and cross_entropy: value and gradient of the first argument, flattened in rows."""
    name = "log_probs" if case.operation == "nll_loss" else "logits"
    first = case.values[name]
    rows = _rows(first, min(1, first.ndim - 1))
    q, denominator = _coefficients(case, len(rows[0]))
    logs = rows if case.operation == "nll_loss" else [_log_softmax(row) for row in rows]
    losses = [-mpmath.fsum(a * b for a, b in zip(*pair, strict=True)) for pair in zip(q, logs, strict=True)]
    g = _numbers(case.values["grad_output"])
    reduction = case.options["reduction"]
    divisor = denominator if reduction == "mean" else 1
    value = losses if reduction == "none" else [mpmath.fsum(losses) / divisor]
    gradient = []
    for i, row in enumerate(logs):
        r = (g[i] if reduction == "none" else g[0]) / divisor
        total = mpmath.fsum(q[i]) if case.operation == "cross_entropy" else 0
        gradient += [r * ((mpmath.exp(log) * total if total else 0) - c) for log, c in zip(row, q[i], strict=True)]
    return {"value": value, f"grad_{name}": gradient}


def exact(case: Case) -> dict[str, list[Any]]:
    """output -> its elements, row by row."""
    return normalised(case) if case.operation.endswith("softmax") else loss(case)
