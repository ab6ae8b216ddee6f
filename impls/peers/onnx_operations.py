"""Softmax, LogSoftmax, NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss of an evaluator of ONNX models. No gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xentfuzz.implementation import Implementation
from xentfuzz.impls.peers.onnx_nodes import Load, evaluated


def implementations(name: str, load: Load, **declared: Any) -> tuple[Implementation, ...]:
    """The four operations as the nodes of `load`'s models; declared: what else the Implementations say."""

    def softmax(logits: Any, *, axis: int) -> Any:
        return evaluated(load, "Softmax", logits, axis=axis)

    def log_softmax(logits: Any, *, axis: int) -> Any:
        return evaluated(load, "LogSoftmax", logits, axis=axis)

    def nll_loss(log_probs: Any, target: Any, *, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
        return evaluated(load, "NegativeLogLikelihoodLoss", log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)

    def cross_entropy(logits: Any, target: Any, *, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
        return evaluated(load, "SoftmaxCrossEntropyLoss", logits, target, weight, ignore_index=ignore_index, reduction=reduction)

    loss = {"targets": ("index",), "ranks": (2, 3, 4), "options": {"ignore_index": None, "reduction": None}, "gradients": ()}
    normalised = {"ranks": (1, 2, 3, 4), "options": {"axis": None}, "gradients": ()}
    operations: tuple[tuple[Callable[..., Any], dict[str, Any]], ...] = (
        (softmax, normalised),
        (log_softmax, normalised),
        (nll_loss, loss),
        (cross_entropy, loss),
    )
    return tuple(
        Implementation(name, function, operation=function.__name__, supports=supports, named_only=True, **declared)
        for function, supports in operations
    )
