"""Keras 3 on torch. Gradients are autograd's."""

from xentfuzz.implementation import Implementation
from xentfuzz.impls.peers.keras_losses import DECLARED, cross_entropy
from xentfuzz.impls.peers.library import needs

IMPLEMENTATIONS = (
    Implementation(
        "keras-torch",
        cross_entropy,
        array="torch",
        environment={"KERAS_BACKEND": "torch"},
        unavailable=needs("peer-keras-torch", "keras", "torch"),
        **DECLARED,
    ),
)
