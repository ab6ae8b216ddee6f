"""Keras 3 on TensorFlow. Gradients are a GradientTape's."""

from __future__ import annotations

from dataclasses import replace

from xentfuzz.impls.peers import tensorflow_losses
from xentfuzz.impls.peers.host_arrays import Bridge, implementations
from xentfuzz.impls.peers.keras_losses import DECLARED, cross_entropy
from xentfuzz.impls.peers.library import needs


def bridge() -> Bridge:
    return replace(tensorflow_losses.bridge(), functions={"cross_entropy": cross_entropy})


IMPLEMENTATIONS = implementations(
    "keras-tensorflow",
    bridge,
    {"cross_entropy": DECLARED["supports"]},
    environment={"KERAS_BACKEND": "tensorflow"},
    unavailable=needs("peer-keras-tensorflow", "keras", "tensorflow"),
    **{name: value for name, value in DECLARED.items() if name not in {"supports", "named_only"}},
)
