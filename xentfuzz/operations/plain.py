"""A plain evaluation of an operation: what anybody writes first, in the arithmetic that an implementation is obliged to use.

(x - m) - log s with pairwise sums, float32 for 16- and 32-bit arrays and float64 for float64, one rounding of the result. Errors of others
are held beside its own. For finite arrays and targets that are classes or ignored.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xentfuzz.dtypes import FORMATS, numpy_dtype
from xentfuzz.operations.case import Case
from xentfuzz.operations.derived_cases import first_argument, has_index_targets, kept_rows, row_weights
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.rows import Rows, class_axis

Array = np.ndarray[Any, Any]


class _Normalised(NamedTuple):
    """softmax and -log softmax, (rows, classes)."""

    p: Array
    l: Array  # noqa: E741 - the letter of the formulas


def plain_value(case: Case, dtype: str) -> Array:
    """The softmax, its logarithm or the loss, of the shape that the operation gives, returned in `dtype`."""
    with np.errstate(all="ignore"):
        if case.operation in ("softmax", "log_softmax"):
            normalised = _normalised(_rows_of(case, first_argument(case)))
            return _placed(case, normalised.p if case.operation == "softmax" else -normalised.l, dtype)
        return _loss(case, dtype)


def plain_gradient(case: Case, dtype: str) -> Array:
    """The gradient of the first argument, of its shape, returned in `dtype`."""
    with np.errstate(all="ignore"):
        x = _rows_of(case, first_argument(case))
        if case.operation in ("softmax", "log_softmax"):
            g, p = _rows_of(case, _upstream(case, x.shape)), _normalised(x).p
            of_softmax = case.operation == "softmax"
            gradient = p * (g - (p * g).sum(axis=1, keepdims=True)) if of_softmax else g - p * g.sum(axis=1, keepdims=True)
            return _placed(case, gradient, dtype)
        q = _coefficients(case, x)
        unscaled = -q if case.operation == "nll_loss" else _normalised(x).p * q.sum(axis=1, keepdims=True) - q
        g = np.broadcast_to(np.asarray(_upstream(case, ())).reshape(-1).astype(x.dtype), (len(x),))
        r = g / _denominator(case, x) if effective_reduction(case.options) == "mean" else g
        return _placed(case, unscaled * r[:, np.newaxis], dtype)


def _rows(case: Case) -> Rows:
    shape = first_argument(case).shape
    return Rows(shape, class_axis(shape, case.options))


def _rows_of(case: Case, array: Array) -> Array:
    """An array of the first argument's shape as contiguous (rows, classes), in the obliged arithmetic."""
    rows = _rows(case)
    return np.ascontiguousarray(rows.take(array, slice(0, rows.count)), numpy_dtype(FORMATS[case.dtype].arithmetic))


def _placed(case: Case, values: Array, dtype: str) -> Array:
    """(rows, classes) as an array of the first argument's shape."""
    rows = _rows(case)
    placed: Array = np.moveaxis(values.reshape(*rows.positions, rows.classes), -1, rows.axis)
    return placed.astype(numpy_dtype(dtype))


def _normalised(x: Array) -> _Normalised:
    below = x - x.max(axis=1, keepdims=True)
    e = np.exp(below)
    s = e.sum(axis=1, keepdims=True)
    return _Normalised(e / s, np.log(s) - below)


def _upstream(case: Case, shape: tuple[int, ...]) -> Array:
    return case.values["grad_output"] if "grad_output" in case.values else np.ones(shape, numpy_dtype(case.dtype))


def _coefficients(case: Case, x: Array) -> Array:
    """q, (rows, classes); 0 in ignored rows."""
    a = x.dtype.type(case.options.get("label_smoothing", 0.0))
    weight = case.values.get("weight")
    w = np.ones(x.shape[1], x.dtype) if weight is None else weight.astype(x.dtype)
    if not has_index_targets(case):
        t = _rows_of(case, case.values["target"])
        return w * ((1 - a) * t + a / x.shape[1]) if a else w * t
    kept = kept_rows(case)
    q = np.where(kept[:, np.newaxis], a / x.dtype.type(x.shape[1]) * w, 0).astype(x.dtype)
    labels = case.values["target"].reshape(-1)[kept].astype(np.int64)
    q[np.flatnonzero(kept), labels] += (1 - a) * w[labels]
    return q


def _denominator(case: Case, x: Array) -> Array:
    weights = row_weights(case).astype(x.dtype)
    return np.asarray(weights.sum()) if has_index_targets(case) else np.asarray(len(x)).astype(x.dtype)


def _loss(case: Case, dtype: str) -> Array:
    x = _rows_of(case, first_argument(case))
    q = _coefficients(case, x)
    # A term without a coefficient may be infinite.
    terms = q * (-x if case.operation == "nll_loss" else _normalised(x).l)
    losses = np.where(q == 0, 0, terms).sum(axis=1)
    reduction = effective_reduction(case.options)
    if reduction == "none":
        reduced = losses.reshape(_rows(case).positions)
    else:
        reduced = np.asarray(losses.sum() / _denominator(case, x) if reduction == "mean" else losses.sum())
    rounded: Array = reduced.astype(numpy_dtype(dtype))
    return rounded
