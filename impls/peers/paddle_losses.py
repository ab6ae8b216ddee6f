"""PaddlePaddle on the CPU: softmax, log_softmax and the two losses of `paddle.nn.functional`. Gradients are Paddle's."""

from __future__ import annotations

from typing import Any

from xentfuzz.impls.peers.declarations import NORMALISED, loss
from xentfuzz.impls.peers.host_arrays import Bridge, implementations
from xentfuzz.impls.peers.library import needs


def bridge() -> Bridge:
    import paddle  # noqa: PLC0415 - importing a peer takes seconds
    from paddle.nn import functional  # noqa: PLC0415

    def cross_entropy(logits: Any, target: Any, **options: Any) -> Any:
        soft = paddle.is_floating_point(target)
        losses = functional.cross_entropy(logits, target, axis=1, soft_label=soft, **options)
        return losses.squeeze(1) if soft and options.get("reduction") == "none" else losses

    def pull_back(function: Any, x: Any, upstream: Any) -> Any:
        x.stop_gradient = False
        return paddle.grad(function(x), x, upstream)[0]

    functions = {name: getattr(functional, name) for name in ("softmax", "log_softmax", "nll_loss")} | {"cross_entropy": cross_entropy}
    return Bridge(paddle.to_tensor, lambda tensor: tensor.numpy(), functions, pull_back)


SUPPORTS = {
    "softmax": NORMALISED,
    "log_softmax": NORMALISED,
    "nll_loss": loss("ignore_index", weight=True),
    "cross_entropy": loss("ignore_index", "label_smoothing", weight=True, targets=("index", "probabilities")),
}
IMPLEMENTATIONS = implementations(
    "paddle", bridge, SUPPORTS, dtypes=("float32", "float64"), thread_safe=False, unavailable=needs("peer-paddle", "paddle")
)
