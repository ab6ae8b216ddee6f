"""What the usual ways take for right: torch's own loss and gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.dtypes import dtype_name, numpy_dtype
from xentfuzz.gallery.autograd import to_numpy, to_torch
from xentfuzz.power.usual.case import Arguments, Array, Case, Close
from xentfuzz.recipes.layouts import lay_out


def case_of(
    given: Arguments,
    close: Close,
    *,
    upstream: Array | float | None = None,
    gradient_close: Close | None = None,
    arithmetic: str | None = None,
) -> Case:
    """A case with torch's answers.

    upstream: the upstream gradient, a number for one that is the same everywhere; None compares the loss alone. gradient_close: as `close`
    where None. arithmetic: the dtype in which torch computes, that of the logits where None; its answers are rounded to the logits' dtype.
    """
    grad_output = None if upstream is None else _upstream(given, upstream)
    loss, gradient = _answers(given, grad_output, arithmetic)
    return Case(
        dtype=dtype_name(given.logits.dtype),
        layout=given.layout,
        logits=lay_out(given.logits, given.layout),
        target=lay_out(given.target, _layout_of_target(given)),
        weight=None if given.weight is None else lay_out(given.weight, "contiguous"),
        options=given.options,
        loss=loss,
        loss_close=close,
        grad_output=grad_output,
        gradient=gradient,
        gradient_close=None if gradient is None else (gradient_close or close),
    )


def _layout_of_target(given: Arguments) -> str:
    # A vector has no columns; every second element of it is the same thing.
    return "sliced_rows" if given.layout == "sliced_columns" and given.target.ndim == 1 else given.layout


def _upstream(given: Arguments, upstream: Array | float) -> Array:
    """Given arrays keep their layout."""
    if isinstance(upstream, np.ndarray):
        return upstream
    return np.full(given.loss_shape, upstream, given.logits.dtype)


def _answers(given: Arguments, grad_output: Array | None, arithmetic: str | None) -> tuple[Array, Array | None]:
    import torch  # noqa: PLC0415 - loaded only where it is asked for

    storage = given.logits.dtype
    wanted = storage if arithmetic is None else numpy_dtype(arithmetic)
    logits = _tensor(given.logits.astype(wanted)).requires_grad_()
    target = _tensor(given.target.astype(wanted) if given.has_probabilities else given.target)
    weight = None if given.weight is None else _tensor(given.weight.astype(wanted))
    loss = torch.nn.functional.cross_entropy(logits, target, weight, **given.options)
    if grad_output is None:
        return to_numpy(loss).astype(storage), None
    (gradient,) = torch.autograd.grad(loss, logits, _tensor(grad_output.astype(wanted)))
    return to_numpy(loss).astype(storage), to_numpy(gradient).astype(storage)


def _tensor(array: Array) -> Any:
    return to_torch(np.array(array, order="C"))
