"""Liger's Triton kernel, in Triton's interpreter, which can't run it with class weights. The gradient is made in the logits' memory."""

from __future__ import annotations

from typing import Any

from xentfuzz.implementation import Implementation
from xentfuzz.impls.peers.declarations import loss
from xentfuzz.impls.peers.library import needs


def cross_entropy(logits: Any, target: Any, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0) -> Any:
    """`liger_kernel.transformers.functional.liger_cross_entropy`."""
    from liger_kernel.transformers.functional import liger_cross_entropy  # noqa: PLC0415 - importing a peer takes seconds

    return liger_cross_entropy(logits, target, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)


IMPLEMENTATIONS = (
    Implementation(
        "liger-kernel",
        cross_entropy,
        array="torch",
        dtypes=("float16", "float32"),  # that interpreter truncates to bfloat16, and reads its scalars wrong
        supports=loss("ignore_index", "label_smoothing", ranks=(2,)),
        grade={"float16": "staged/any"},
        environment={"TRITON_INTERPRET": "1"},
        mutates=("logits",),
        aliases=True,
        simulator=True,
        unavailable=needs("peer-liger", "liger_kernel", "torch", "triton"),
        named_only=True,
    ),
)
