"""tinygrad in its Python emulator: softmax, log_softmax and the losses of its Tensor. Gradients are tinygrad's."""

from __future__ import annotations

from typing import Any

from xentfuzz.impls.peers.declarations import GRADE, NORMALISED, loss
from xentfuzz.impls.peers.host_arrays import Bridge, implementations
from xentfuzz.impls.peers.library import needs


def bridge() -> Bridge:
    from tinygrad import Tensor  # noqa: PLC0415 - importing a peer takes time

    def pull_back(function: Any, x: Any, upstream: Any) -> Any:
        return function(x).gradient(x, gradient=upstream)[0]

    functions = {name: getattr(Tensor, name) for name in SUPPORTS}
    return Bridge(lambda array: Tensor(array.copy()), lambda tensor: tensor.numpy(), functions, pull_back)


SUPPORTS = {
    "softmax": NORMALISED,
    "log_softmax": NORMALISED,
    "nll_loss": loss("ignore_index", weight=True),
    "cross_entropy": loss("label_smoothing", targets=("index", "probabilities")),
}
IMPLEMENTATIONS = implementations(
    "tinygrad",
    bridge,
    SUPPORTS,
    dtypes=("float16", "float32", "float64"),
    grade=GRADE,
    environment={"DEV": "PYTHON"},
    simulator=True,
    unavailable=needs("peer-tinygrad", "tinygrad"),
)
