"""MLX on the CPU: softmax, log_softmax and two losses. Gradients are MLX's."""

from __future__ import annotations

from functools import partial
from typing import Any

from xentfuzz.impls.peers.declarations import FLOATS, GRADE, NORMALISED, loss
from xentfuzz.impls.peers.host_arrays import Bridge, implementations
from xentfuzz.impls.peers.library import needs


def bridge() -> Bridge:
    import mlx.core as mx  # noqa: PLC0415 - importing a peer takes time
    import numpy as np  # noqa: PLC0415
    from mlx import nn  # noqa: PLC0415

    def load(array: Any) -> Any:
        return mx.array(array.copy(), dtype=getattr(mx, array.dtype.name))

    def read(array: Any) -> Any:
        if array.dtype != mx.bfloat16:
            return np.asarray(array)
        return np.asarray(array.astype(mx.float32)).astype("bfloat16")  # a name that ml_dtypes brings

    losses = {name: partial(getattr(nn.losses, name), axis=1, reduction="mean") for name in ("nll_loss", "cross_entropy")}
    functions = {"softmax": mx.softmax, "log_softmax": nn.log_softmax} | losses
    return Bridge(load, read, functions, lambda function, x, upstream: mx.vjp(function, [x], [upstream])[1][0])


SUPPORTS = {
    "softmax": NORMALISED,
    "log_softmax": NORMALISED,
    "nll_loss": loss(),
    "cross_entropy": loss("label_smoothing", targets=("index", "probabilities")),
}
SUPPORTS["cross_entropy"]["options"]["label_smoothing"] = (0.0, 0.1, 0.001, 0.3, 1e-5, 0.95)  # below 1
IMPLEMENTATIONS = implementations("mlx", bridge, SUPPORTS, dtypes=FLOATS, grade=GRADE, unavailable=needs("peer-mlx", "mlx"))
