"""Softmax, log-softmax, NLL loss and cross entropy in whole-array NumPy: the implementation to learn from.

Everything is computed in float64 on rows, that is on arrays of shape (rows, classes), and rounded once at the end: a block of rows at a
time, in place, so that its numbers stay in the cache. With

    x      logits of a row                     m = max x
    p_c    softmax: exp(x_c - m) / sum_k exp(x_k - m)
    l_c    -log p_c = (m - x_c) + log sum_k exp(x_k - m)
    w_c    weight of class c, 1 without weights
    a      label smoothing, C classes

every kind of target becomes a row of coefficients q, and one formula serves them all:

    target               q_c                               W, the denominator of the mean
    class index y        (1-a) w_y [c = y] + (a/C) w_c     sum of w_y over the kept rows
    class index ignored  0                                 contributes 0
    probabilities t      w_c ((1-a) t_c + a/C)             number of rows

    row loss      sum_c q_c l_c
    its gradient  p_c S - q_c,   S = sum_c q_c

Subtracting the maximum keeps exp from overflowing and makes the largest term of the sum 1, so that the logarithm never sees 0. Taking
log p_c as a difference, rather than as the logarithm of p_c, keeps it finite where p_c underflows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from xentfuzz.implementation import Implementation
from xentfuzz.impls import arguments
from xentfuzz.impls.arguments import Array, LossCall

# float64 numbers of a block: a few arrays of them fit a second-level cache. Measured: 1.6 to 4 times as fast as
# all rows at once.
BLOCK_ELEMENTS = 1 << 14


def _blocks(rows: int, classes: int) -> Iterator[slice]:
    step = max(1, BLOCK_ELEMENTS // max(classes, 1))
    return (slice(first, first + step) for first in range(0, rows, step))


def _by_blocks(function: Callable[..., Array], axis: int, *arrays: Array) -> Array:
    """What `function` makes of blocks of the rows of some arrays of one shape, in float64, which it may overwrite."""
    rows = [arguments.rows_of(array, axis) for array in arrays]
    count, classes = rows[0].shape
    out = np.empty((count, classes), arrays[0].dtype)
    for block in _blocks(count, classes):
        out[block] = function(*(each[block].astype(np.float64) for each in rows))
    return arguments.from_rows(out, arrays[0].shape, axis)


def _shifted_exponentials(rows: Array) -> tuple[Array, Array, Array]:
    """The rows less their maximum, x - m, in place; exp(x - m); and the sums of the latter (with a class axis of length 1)."""
    rows -= rows.max(axis=-1, keepdims=True, initial=-np.inf)
    exponentials = np.exp(rows)
    return rows, exponentials, exponentials.sum(axis=-1, keepdims=True)


def _softmax(rows: Array) -> Array:
    _, exponentials, total = _shifted_exponentials(rows)
    exponentials /= total
    return exponentials


def _log_softmax(rows: Array) -> Array:
    shifted, _, total = _shifted_exponentials(rows)
    shifted -= np.log(total)
    return shifted


def _softmax_gradient(rows: Array, g: Array) -> Array:
    p = _softmax(rows)
    g -= (p * g).sum(axis=-1, keepdims=True)
    p *= g
    return p


def _log_softmax_gradient(rows: Array, g: Array) -> Array:
    p = _softmax(rows)
    p *= g.sum(axis=-1, keepdims=True)
    g -= p
    return g


@np.errstate(all="ignore")
def softmax(logits: Array, *, axis: int) -> Array:
    """Softmax along `axis`: floating logits of any shape to an array of the same shape and dtype."""
    logits, axis = arguments.check_softmax(logits, axis)
    return _by_blocks(_softmax, axis, logits)


@np.errstate(all="ignore")
def softmax_backward(grad_output: Array, logits: Array, *, axis: int) -> Array:
    """Gradient p (g - sum p g) of the softmax with respect to the logits, for the upstream gradient g = `grad_output`."""
    logits, axis = arguments.check_softmax(logits, axis)
    return _by_blocks(_softmax_gradient, axis, logits, arguments.check_upstream(grad_output, logits.shape, logits.dtype))


@np.errstate(all="ignore")
def log_softmax(logits: Array, *, axis: int) -> Array:
    """Logarithm of the softmax along `axis`: floating logits of any shape to an array of the same shape and dtype."""
    logits, axis = arguments.check_softmax(logits, axis)
    return _by_blocks(_log_softmax, axis, logits)


@np.errstate(all="ignore")
def log_softmax_backward(grad_output: Array, logits: Array, *, axis: int) -> Array:
    """Gradient g - p sum g of the log-softmax with respect to the logits, for the upstream gradient g = `grad_output`."""
    logits, axis = arguments.check_softmax(logits, axis)
    return _by_blocks(_log_softmax_gradient, axis, logits, arguments.check_upstream(grad_output, logits.shape, logits.dtype))


def _mean_denominator(total_weight: np.float64) -> np.float64:
    """W, or NaN where nothing has any weight: the mean of nothing is NaN."""
    return total_weight if total_weight != 0.0 else np.float64(np.nan)


def _reduce(row_losses: Array, denominator: np.float64, call: LossCall) -> Array:
    """The row losses as the result: one per position, their sum, or their mean."""
    if call.reduction == "none":
        return row_losses.reshape(call.positions).astype(call.dtype)
    total = row_losses.sum()
    if call.reduction == "mean":
        # The mean can be a number where the sum overflows.
        total = total / denominator if np.isfinite(total) else (row_losses / denominator).sum()
    return np.asarray(total).astype(call.dtype)


def _row_scale(upstream: Array, denominator: np.float64, call: LossCall) -> Array:
    """The derivative of the final scalar by each row's loss: shape (rows, 1), or (1, 1) where it is the same for all."""
    scale = upstream.astype(np.float64).reshape(-1, 1)
    return scale / denominator if call.reduction == "mean" else scale


def _class_weights(call: LossCall) -> Array:
    return np.ones(call.classes) if call.weight is None else call.weight.astype(np.float64)


@dataclass(frozen=True)
class _Picked:
    """The target of nll_loss: an index array that fits the log-probabilities; kept rows; each row's weight, 0 where ignored; W."""

    index: Array
    kept: Array
    weights: Array
    denominator: np.float64


def _pick(call: LossCall) -> _Picked:
    indices, kept = arguments.class_indices(call)
    safe = np.where(kept, indices, 0)
    weights = np.where(kept, _class_weights(call)[safe], 0.0)
    index = np.expand_dims(safe.reshape(call.positions), call.class_axis)
    return _Picked(index, kept, weights, _mean_denominator(weights.sum()))


@np.errstate(all="ignore")
def nll_loss(log_probs: Array, target: Array, *, weight: Array | None = None, ignore_index: int = -100, reduction: str = "mean") -> Array:
    """Negative log likelihood -w_y x_y of log-probabilities (C,), (N, C) or (N, C, d1, ...) at class indices (), (N,) or (N, d1, ...)."""
    call = arguments.check_nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    picked = _pick(call)
    values = np.take_along_axis(call.first, picked.index, call.class_axis).reshape(-1).astype(np.float64)
    return _reduce(np.where(picked.kept, -picked.weights * values, 0.0), picked.denominator, call)


@np.errstate(all="ignore")
def nll_loss_backward(
    grad_output: Array, log_probs: Array, target: Array, *, weight: Array | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Array:
    """Gradient of nll_loss with respect to the log-probabilities: -r w_y at the target of a kept row, else 0."""
    call = arguments.check_nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    picked = _pick(call)
    scale = _row_scale(call.upstream(grad_output), picked.denominator, call).reshape(-1)
    values = np.where(picked.kept, -scale * picked.weights, 0.0).reshape(picked.index.shape)
    gradient = np.zeros(call.shape, call.dtype)
    np.put_along_axis(gradient, picked.index, values.astype(call.dtype), call.class_axis)
    return gradient


@dataclass(frozen=True)
class _Coefficients:
    """The target of cross_entropy. q: of a block of rows, shape (rows, classes); kept: which rows are; denominator: W."""

    q: Callable[[slice], Array]
    kept: Array
    denominator: np.float64


def _index_coefficients(call: LossCall) -> _Coefficients:
    indices, kept = arguments.class_indices(call)
    weights = _class_weights(call)

    def q(block: slice) -> Array:
        rows, classes = np.flatnonzero(kept[block]), indices[block][kept[block]]
        coefficients = np.zeros((len(kept[block]), call.classes))
        # Without smoothing only the weights of targets may be read: that of another class could be NaN.
        if call.label_smoothing > 0.0:
            coefficients[rows] = call.label_smoothing / call.classes * weights
        coefficients[rows, classes] += (1.0 - call.label_smoothing) * weights[classes]
        return coefficients

    return _Coefficients(q, kept, _mean_denominator(weights[indices[kept]].sum()))


def _probability_coefficients(call: LossCall) -> _Coefficients:
    probabilities, weights = arguments.rows_of(call.target, call.class_axis), _class_weights(call)

    def q(block: slice) -> Array:
        t = probabilities[block].astype(np.float64)
        t *= 1.0 - call.label_smoothing
        t += call.label_smoothing / call.classes
        t *= weights
        return t

    return _Coefficients(q, np.ones(call.rows, np.bool_), _mean_denominator(np.float64(call.rows)))


def _coefficients(call: LossCall) -> _Coefficients:
    return _probability_coefficients(call) if call.probabilities else _index_coefficients(call)


def _losses_of_block(log_p: Array, q: Array, kept: Array) -> Array:
    # 0 log 0 = 0, as for entropies: a masked class (-inf) of probability 0 takes no part. NaN stays NaN.
    absent = np.isneginf(log_p)
    absent &= q == 0.0
    np.copyto(log_p, 0.0, where=absent)
    log_p *= q
    return np.where(kept, -log_p.sum(axis=-1), 0.0)


def _gradient_of_block(p: Array, q: Array, kept: Array, scale: Array) -> Array:
    p *= q.sum(axis=-1, keepdims=True)
    p -= q
    p *= scale
    # An ignored row may hold anything, NaN included.
    p[~kept] = 0.0
    return p


def _cross_entropy(call: LossCall, coefficients: _Coefficients, scale: Array | None) -> tuple[Array, Array]:
    """Each row's loss, and the gradient for these derivatives of the result by the row losses; an empty one for none."""
    rows, losses = arguments.rows_of(call.first, call.class_axis), np.empty(call.rows)
    gradient = np.empty(rows.shape if scale is not None else (0, call.classes), call.dtype)
    scales = None if scale is None else np.broadcast_to(scale, (call.rows, 1))
    for block in _blocks(len(rows), call.classes):
        q, kept = coefficients.q(block), coefficients.kept[block]
        shifted, exponentials, total = _shifted_exponentials(rows[block].astype(np.float64))
        shifted -= np.log(total)
        losses[block] = _losses_of_block(shifted, q, kept)
        if scales is not None:
            exponentials /= total
            gradient[block] = _gradient_of_block(exponentials, q, kept, scales[block])
    return losses, gradient


def _gradient(gradient: Array, call: LossCall) -> Array:
    return arguments.from_rows(gradient, call.shape, call.class_axis)


@np.errstate(all="ignore")
def cross_entropy(
    logits: Array,
    target: Array,
    *,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Softmax cross entropy of logits (C,), (N, C) or (N, C, d1, ...).

    target: class indices (), (N,) or (N, d1, ...), or class probabilities of the logits' shape and dtype. weight: (C,), the logits' dtype.
    The loss has the shape of such indices under reduction "none", else it is 0-d; its dtype is that of the logits.
    """
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    coefficients = _coefficients(call)
    return _reduce(_cross_entropy(call, coefficients, None)[0], coefficients.denominator, call)


@np.errstate(all="ignore")
def cross_entropy_backward(
    grad_output: Array,
    logits: Array,
    target: Array,
    *,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Gradient of cross_entropy with respect to the logits, for an upstream gradient of the loss's shape and dtype."""
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    coefficients = _coefficients(call)
    scale = _row_scale(call.upstream(grad_output), coefficients.denominator, call)
    return _gradient(_cross_entropy(call, coefficients, scale)[1], call)


@np.errstate(all="ignore")
def cross_entropy_value_and_grad(
    logits: Array,
    target: Array,
    *,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> tuple[Array, Array]:
    """The loss and the gradient of its sum."""
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    coefficients = _coefficients(call)
    losses, gradient = _cross_entropy(call, coefficients, _row_scale(np.ones(()), coefficients.denominator, call))
    return _reduce(losses, coefficients.denominator, call), _gradient(gradient, call)


IMPLEMENTATIONS = tuple(
    Implementation(
        "numpy",
        forward,
        backward=backward,
        value_and_grad=value_and_grad,
        operation=forward.__name__,
        dtypes=arguments.FLOAT_NAMES,
        supports=supports,
        grade="shift/pairwise",
    )
    for forward, backward, value_and_grad, supports in (
        (softmax, softmax_backward, None, arguments.SOFTMAX_SUPPORT),
        (log_softmax, log_softmax_backward, None, arguments.SOFTMAX_SUPPORT),
        (nll_loss, nll_loss_backward, None, arguments.NLL_LOSS_SUPPORT),
        (cross_entropy, cross_entropy_backward, cross_entropy_value_and_grad, arguments.CROSS_ENTROPY_SUPPORT),
    )
)
