"""The two losses of Keras 3 over the logits of matrices, on any of its back ends."""

from __future__ import annotations

from typing import Any

from xentfuzz.impls.peers.declarations import FLOATS, GRADE, loss

DECLARED: dict[str, Any] = {
    "dtypes": FLOATS,
    "grade": GRADE,
    "supports": loss("ignore_index", targets=("index", "probabilities"), ranks=(2,)),
    "named_only": True,
}
DECLARED["supports"]["options"]["label_smoothing"] = ()  # class probabilities alone could have it


def cross_entropy(logits: Any, target: Any, *, reduction: str = "mean", ignore_index: int = -100) -> Any:
    """`keras.losses.SparseCategoricalCrossentropy`, for a floating-point target `CategoricalCrossentropy`."""
    from keras import backend, losses  # noqa: PLC0415 - importing a peer takes seconds

    dtype = backend.standardize_dtype(logits.dtype)
    words: dict[str, Any] = {"from_logits": True, "reduction": None if reduction == "none" else reduction, "dtype": dtype}
    if backend.is_float_dtype(backend.standardize_dtype(target.dtype)):
        return losses.CategoricalCrossentropy(**words)(target, logits)
    return losses.SparseCategoricalCrossentropy(ignore_class=ignore_index, **words)(target, logits)
