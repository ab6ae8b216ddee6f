"""A plain evaluation of an operation: what anybody writes first, in the arithmetic that an implementation is obliged to use.

(x - m) - log s with pairwise sums, float32 for 16- and 32-bit arrays and float64 for float64, one rounding of the result. Errors of others
are held beside its own. For finite arrays and targets that are classes or ignored.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xentfuzz.dtypes import FORMATS, numpy_dtype
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.derived_cases import first_argument, has_index_targets, kept_rows, row_weights
from xentfuzz.operations.operation import Plain
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.rows import Rows, class_axis

Array = np.ndarray[Any, Any]


class _Normalised(NamedTuple):
    """softmax and -log softmax, (rows, classes)."""

    p: Array
    l: Array  # noqa: E741 - the letter of the formulas


def plain_value(case: Case, dtype: str) -> Array:
    """The result of the case's operation, of the shape that it gives, returned in `dtype`."""
    with np.errstate(all="ignore"):
        return _stated_for(case).value(case, dtype)


def plain_gradient(case: Case, dtype: str) -> Array:
    """The gradient of the first argument, of its shape, returned in `dtype`."""
    with np.errstate(all="ignore"):
        return _stated_for(case).gradient(case, dtype)


def _stated_for(case: Case) -> Plain:
    stated = get_operation(case.operation).plain
    assert stated is not None, f"{case.operation} has no plain evaluation"
    return stated


def _softmax(case: Case, dtype: str) -> Array:
    return _placed(case, _normalised(_rows_of(case, first_argument(case))).p, dtype)


def _log_softmax(case: Case, dtype: str) -> Array:
    return _placed(case, -_normalised(_rows_of(case, first_argument(case))).l, dtype)


def _gradient_of_softmax(case: Case, dtype: str) -> Array:
    p, g = _probabilities_and_upstream(case)
    return _placed(case, p * (g - (p * g).sum(axis=1, keepdims=True)), dtype)


def _gradient_of_log_softmax(case: Case, dtype: str) -> Array:
    p, g = _probabilities_and_upstream(case)
    return _placed(case, g - p * g.sum(axis=1, keepdims=True), dtype)


def _probabilities_and_upstream(case: Case) -> tuple[Array, Array]:
    x = _rows_of(case, first_argument(case))
    return _normalised(x).p, _rows_of(case, _upstream(case, x.shape))


def _gradient_of_cross_entropy(case: Case, dtype: str) -> Array:
    x = _rows_of(case, first_argument(case))
    q = _coefficients(case, x)
    return _gradient_of_loss(case, x, _normalised(x).p * q.sum(axis=1, keepdims=True) - q, dtype)


def _gradient_of_nll_loss(case: Case, dtype: str) -> Array:
    x = _rows_of(case, first_argument(case))
    return _gradient_of_loss(case, x, -_coefficients(case, x), dtype)


def _gradient_of_loss(case: Case, x: Array, unscaled: Array, dtype: str) -> Array:
    """Of the gradients of row losses, (rows, classes)."""
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


def _cross_entropy(case: Case, dtype: str) -> Array:
    x = _rows_of(case, first_argument(case))
    return _loss(case, x, _normalised(x).l, dtype)


def _nll_loss(case: Case, dtype: str) -> Array:
    x = _rows_of(case, first_argument(case))
    return _loss(case, x, -x, dtype)


def _loss(case: Case, x: Array, of_classes: Array, dtype: str) -> Array:
    """of_classes: the loss of each class, (rows, classes)."""
    q = _coefficients(case, x)
    # A term without a coefficient may be infinite.
    losses = np.where(q == 0, 0, q * of_classes).sum(axis=1)
    reduction = effective_reduction(case.options)
    if reduction == "none":
        reduced = losses.reshape(_rows(case).positions)
    else:
        reduced = np.asarray(losses.sum() / _denominator(case, x) if reduction == "mean" else losses.sum())
    rounded: Array = reduced.astype(numpy_dtype(dtype))
    return rounded


PLAIN_SOFTMAX = Plain(_softmax, _gradient_of_softmax)
PLAIN_LOG_SOFTMAX = Plain(_log_softmax, _gradient_of_log_softmax)
PLAIN_CROSS_ENTROPY = Plain(_cross_entropy, _gradient_of_cross_entropy)
PLAIN_NLL_LOSS = Plain(_nll_loss, _gradient_of_nll_loss)
