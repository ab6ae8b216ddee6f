"""torch.nn.functional as it is: an adapter that gives torch's functions the common signatures. Gradients are autograd's."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from xentfuzz.implementation import Implementation

if TYPE_CHECKING:
    from torch import Tensor

FLOAT_NAMES = ("float16", "bfloat16", "float32", "float64")
# On the CPU, torch keeps sums, their logarithms and other intermediates of 16-bit tensors in 16 bits.
GRADES = {"float16": "staged/any", "bfloat16": "staged/any", "float32": "shift/any", "float64": "shift/any"}


def unavailable() -> str | None:
    """Why torch cannot be used here, or None."""
    if importlib.util.find_spec("torch") is None:
        return "torch is not installed; `pip install torch` brings it"
    return None


def softmax(logits: Tensor, *, axis: int) -> Tensor:
    """`torch.nn.functional.softmax`."""
    from torch.nn import functional  # noqa: PLC0415 - importing torch takes seconds

    return functional.softmax(logits, dim=axis)


def log_softmax(logits: Tensor, *, axis: int) -> Tensor:
    """`torch.nn.functional.log_softmax`."""
    from torch.nn import functional  # noqa: PLC0415

    return functional.log_softmax(logits, dim=axis)


def nll_loss(
    log_probs: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`torch.nn.functional.nll_loss`; size_average and reduce are deprecated there and override reduction."""
    from torch.nn import functional  # noqa: PLC0415

    return functional.nll_loss(
        log_probs, target, weight=weight, size_average=size_average, ignore_index=ignore_index, reduce=reduce, reduction=reduction
    )


def cross_entropy(
    logits: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """`torch.nn.functional.cross_entropy`; size_average and reduce are deprecated there and override reduction."""
    from torch.nn import functional  # noqa: PLC0415

    return functional.cross_entropy(
        logits,
        target,
        weight=weight,
        size_average=size_average,
        ignore_index=ignore_index,
        reduce=reduce,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


_SOFTMAX_SUPPORT = {"ranks": (1, 2, 3, 4), "options": {"axis": None}}
_NLL_OPTIONS = {"ignore_index": None, "reduction": None, "size_average": None, "reduce": None}
_NLL_SUPPORT: dict[str, Any] = {"targets": ("index",), "target_dtypes": ("int64",), "ranks": (1, 2, 3, 4), "options": _NLL_OPTIONS}
_CROSS_ENTROPY_SUPPORT = {
    **_NLL_SUPPORT,
    "targets": ("index", "probabilities"),
    "options": {**_NLL_OPTIONS, "label_smoothing": None},
}

IMPLEMENTATIONS = tuple(
    Implementation(
        "torch-eager",
        function,
        operation=function.__name__,
        array="torch",
        dtypes=FLOAT_NAMES,
        supports=supports,
        grade=GRADES,
        unavailable=unavailable,
    )
    for function, supports in (
        (softmax, _SOFTMAX_SUPPORT),
        (log_softmax, _SOFTMAX_SUPPORT),
        (nll_loss, _NLL_SUPPORT),
        (cross_entropy, _CROSS_ENTROPY_SUPPORT),
    )
)
