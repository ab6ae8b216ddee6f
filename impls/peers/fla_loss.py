"""The Triton kernel of flash-linear-attention, in Triton's interpreter. It has no reduction."""

from __future__ import annotations

from typing import Any

from xentfuzz.implementation import Implementation
from xentfuzz.impls.peers.library import needs


def cross_entropy(logits: Any, target: Any, *, ignore_index: int = -100, label_smoothing: float = 0.0) -> Any:
    """`fla.modules.fused_cross_entropy.cross_entropy_loss`, of whose results the loss is taken."""
    from fla.modules.fused_cross_entropy import cross_entropy_loss  # noqa: PLC0415 - importing a peer takes seconds

    return cross_entropy_loss(logits, target, label_smoothing=label_smoothing, ignore_index=ignore_index)[0]


IMPLEMENTATIONS = (
    Implementation(
        "fla-core",
        cross_entropy,
        array="torch",
        dtypes=("float16", "float32"),  # that interpreter truncates to bfloat16
        supports={"targets": ("index",), "ranks": (2,), "options": {"ignore_index": None, "reduction": ("none",), "label_smoothing": None}},
        loss_dtype="float32",
        environment={"TRITON_INTERPRET": "1"},
        simulator=True,
        unavailable=needs("peer-fla", "fla", "torch", "triton"),
        named_only=True,
    ),
)
