"""Keras 3 on jax. Gradients are jax's."""

from xentfuzz.implementation import Implementation
from xentfuzz.impls.peers.keras_losses import DECLARED, cross_entropy
from xentfuzz.impls.peers.library import needs

IMPLEMENTATIONS = (
    Implementation(
        "keras-jax",
        cross_entropy,
        array="jax",
        environment={"KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1"},
        unavailable=needs("peer-keras-jax", "jax", "keras"),
        **DECLARED,
    ),
)
