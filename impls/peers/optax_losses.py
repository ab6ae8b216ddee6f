"""optax's two losses over logits: integer labels and labels that are probabilities. Gradients are jax's."""

from __future__ import annotations

from typing import Any

from xentfuzz.implementation import Implementation
from xentfuzz.impls.peers.library import needs


def cross_entropy(logits: Any, target: Any) -> Any:
    """`optax.softmax_cross_entropy_with_integer_labels`, for a floating-point target `optax.softmax_cross_entropy`."""
    import jax.numpy as jnp  # noqa: PLC0415 - importing a peer takes seconds
    import optax  # noqa: PLC0415

    axis = min(logits.ndim - 1, 1)
    if jnp.issubdtype(target.dtype, jnp.integer):
        return optax.softmax_cross_entropy_with_integer_labels(logits, target, axis=axis)
    return optax.softmax_cross_entropy(logits, target, axis=axis)


IMPLEMENTATIONS = (
    Implementation(
        "optax",
        cross_entropy,
        array="jax",
        dtypes=("float16", "bfloat16", "float32", "float64"),
        supports={"targets": ("index", "probabilities"), "ranks": (1, 2, 3, 4), "options": {"reduction": ("none",), "ignore_index": ()}},
        grade={"float16": "staged/any", "bfloat16": "staged/any"},
        environment={"JAX_ENABLE_X64": "1"},  # without it there is no float64
        unavailable=needs("peer-optax", "jax", "optax"),
        named_only=True,
    ),
)
