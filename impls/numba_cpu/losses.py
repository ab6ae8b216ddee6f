"""nll_loss and cross_entropy: what is called."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from xentfuzz.impls import arguments
from xentfuzz.impls.arguments import Array, LossCall
from xentfuzz.impls.numba_cpu import recycled
from xentfuzz.impls.numba_cpu.launch import LossProblem, Plan, arithmetic_of, launch, plan, storage_of
from xentfuzz.impls.numba_cpu.layout import address_of, record_of

NO_TARGETS, NO_SCALES = np.zeros(0, np.int64), np.ones(1)
NO_TARGETS.flags.writeable = False  # as targets are: read-only arrays are a type of their own to Numba


class _Targets(NamedTuple):
    """indices: int64, one for each position, in range or `ignore_index`; denominator: W, NaN where there is nothing to take a mean of."""

    indices: Array
    ignore_index: int
    denominator: float


def _targets(call: LossCall) -> _Targets:
    if call.probabilities:
        return _Targets(NO_TARGETS, 0, call.rows or math.nan)
    from xentfuzz.impls.numba_cpu.index_kernels import count_targets, first_outside, sum_weights  # noqa: PLC0415 - importing Numba takes half a second

    indices, ignore_index = arguments.index_numbers(call), call.ignore_index
    kept, outside = count_targets(indices, ignore_index, call.classes)
    if outside:
        arguments.raise_outside(call, np.ravel(call.target), first_outside(indices, ignore_index, call.classes))
    denominator = float(kept) if call.weight is None else sum_weights(indices, ignore_index, call.weight.astype(np.float64))
    return _Targets(indices, ignore_index, denominator or math.nan)


class _Prepared(NamedTuple):
    """A problem for the kernels, how it is split up, and the arrays that it points into."""

    problem: LossProblem
    planned: Plan
    sums: Array
    others: tuple[Array | None, ...]


def _weights(call: LossCall) -> Array | None:
    """In the arithmetic format; ones where a target is spread over classes without a weight."""
    arithmetic = arithmetic_of(call.dtype)
    if call.weight is not None:
        return np.require(call.weight, arithmetic, ("C", "A"))
    return np.ones(call.classes, arithmetic) if call.probabilities or call.label_smoothing > 0.0 else None


def _prepare(call: LossCall, targets: _Targets, scales: Array, gradient: Array | None, losses: Array | None) -> _Prepared:
    planned = plan(
        [call.first, call.target if call.probabilities else None, gradient],
        call.class_axis,
        lanes=not (call.probabilities or call.label_smoothing > 0.0),
    )
    of_logits, of_probabilities, of_gradient = planned.rows
    weights, sums, ticket = _weights(call), np.zeros(max(planned.blocks, 1)), np.zeros(1, np.int64)
    problem = LossProblem(
        planned.extent,
        of_logits,
        of_probabilities,
        of_gradient,
        targets=0 if call.probabilities else address_of(targets.indices),
        ignore_index=targets.ignore_index,
        weights=0 if weights is None else address_of(weights),
        hard=1.0 - call.label_smoothing,
        uniform=call.label_smoothing / call.classes,
        scales=address_of(scales),
        scale_step=int(scales.size > 1),
        losses=0 if losses is None else address_of(losses),
        sums=address_of(sums),
        ticket=address_of(ticket),
    )
    return _Prepared(problem, planned, sums, (weights, ticket, targets.indices, scales, gradient, losses))


def _scales(upstream: Array, denominator: float, call: LossCall) -> Array:
    """The derivative of the final scalar by each row's loss, or by any row's: one number."""
    scales = upstream.astype(np.float64).reshape(-1)
    return scales / denominator if call.reduction == "mean" else scales


def _wanted_losses(call: LossCall) -> Array | None:
    """Room for each row's loss, where they are the result, or where their mean can be a number although their sum overflows."""
    wanted = call.reduction == "none" or (call.reduction == "mean" and call.dtype == np.float64)
    return np.empty(call.positions, call.dtype) if wanted else None


def _result(losses: Array | None, sums: Array, denominator: float, call: LossCall) -> Array:
    if losses is not None and call.reduction == "none":
        return losses
    total = sums.sum()
    if call.reduction == "mean":
        total = (losses / denominator).sum() if losses is not None and np.isinf(total) else total / denominator
    return np.asarray(total).astype(call.dtype)


def _cross_entropy(call: LossCall, targets: _Targets, scales: Array | None) -> tuple[Array, Array]:
    """The loss, and the gradient for these derivatives of the result by the row losses; an empty one for none."""
    from xentfuzz.impls.numba_cpu.loss_kernels import cross_entropy_kernel  # noqa: PLC0415 - importing Numba takes half a second

    gradient, losses = None if scales is None else recycled.empty(call.shape, call.dtype), _wanted_losses(call)
    prepared = _prepare(call, targets, NO_SCALES if scales is None else scales, gradient, losses)
    launch(cross_entropy_kernel, prepared.problem, call.dtype, prepared.planned, keep=scales is not None)
    return _result(losses, prepared.sums, targets.denominator, call), np.empty(0, call.dtype) if gradient is None else gradient


@np.errstate(all="ignore")
def nll_loss(log_probs: Array, target: Array, *, weight: Array | None = None, ignore_index: int = -100, reduction: str = "mean") -> Array:
    """Negative log likelihood -w_y x_y of log-probabilities (C,), (N, C) or (N, C, d1, ...) at class indices (), (N,) or (N, d1, ...)."""
    from xentfuzz.impls.numba_cpu.index_kernels import nll_loss_kernel  # noqa: PLC0415 - importing Numba takes half a second

    call = arguments.check_nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    losses, unchecked = _wanted_losses(call), _Targets(arguments.index_numbers(call), call.ignore_index, math.nan)
    prepared = _prepare(call, unchecked, NO_SCALES, None, losses)
    prepared.sums[0], weight_sum, outside = nll_loss_kernel(storage_of(call.dtype), arithmetic_of(call.dtype), record_of(prepared.problem))
    if outside >= 0:
        arguments.raise_outside(call, np.ravel(call.target), outside)
    return _result(losses, prepared.sums, weight_sum or math.nan, call)


@np.errstate(all="ignore")
def nll_loss_backward(
    grad_output: Array, log_probs: Array, target: Array, *, weight: Array | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Array:
    """Gradient of nll_loss with respect to the log-probabilities: -r w_y at the target of a kept row, else 0."""
    from xentfuzz.impls.numba_cpu.index_kernels import nll_loss_gradient_kernel  # noqa: PLC0415 - importing Numba takes half a second

    call = arguments.check_nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    targets = _targets(call)
    gradient = recycled.zeros(call.shape, call.dtype)
    scales = _scales(call.upstream(grad_output), targets.denominator, call)
    prepared = _prepare(call, targets, scales, gradient, None)
    nll_loss_gradient_kernel(storage_of(call.dtype), arithmetic_of(call.dtype), record_of(prepared.problem))
    return gradient


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
    return _cross_entropy(call, _targets(call), None)[0]


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
    targets = _targets(call)
    return _cross_entropy(call, targets, _scales(call.upstream(grad_output), targets.denominator, call))[1]


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
    targets = _targets(call)
    return _cross_entropy(call, targets, _scales(np.ones(1), targets.denominator, call))
