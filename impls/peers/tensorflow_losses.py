"""TensorFlow on the CPU: softmax, log_softmax, and the two losses over logits, which have no reduction. Gradients are a GradientTape's."""

from __future__ import annotations

from typing import Any

from xentfuzz.impls.peers.declarations import FLOATS, GRADE, NORMALISED, loss
from xentfuzz.impls.peers.host_arrays import Bridge, implementations
from xentfuzz.impls.peers.library import needs


def bridge() -> Bridge:
    import tensorflow as tf  # noqa: PLC0415 - importing a peer takes seconds

    def cross_entropy(logits: Any, target: Any) -> Any:
        if target.dtype.is_floating:
            return tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=logits)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)

    def pull_back(function: Any, x: Any, upstream: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = function(x)
        return tape.gradient(result, x, output_gradients=upstream)

    functions = {"softmax": tf.nn.softmax, "log_softmax": tf.nn.log_softmax, "cross_entropy": cross_entropy}
    return Bridge(tf.convert_to_tensor, lambda tensor: tensor.numpy(), functions, pull_back)


LOSS = loss(targets=("index", "probabilities"), ranks=(2,))
LOSS["options"] |= {"reduction": ("none",), "label_smoothing": ()}
SUPPORTS = {"softmax": NORMALISED, "log_softmax": NORMALISED, "cross_entropy": LOSS}
IMPLEMENTATIONS = implementations(
    "tensorflow", bridge, SUPPORTS, dtypes=FLOATS, grade=GRADE, unavailable=needs("peer-tensorflow", "tensorflow")
)
