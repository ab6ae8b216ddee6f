"""scikit-learn's log_loss, which takes probabilities: SciPy's softmax makes them. No gradients."""

from __future__ import annotations

from typing import Any

from xentfuzz.implementation import Implementation
from xentfuzz.impls.peers.library import needs


def cross_entropy(logits: Any, target: Any, *, reduction: str = "mean") -> Any:
    """`sklearn.metrics.log_loss` of `scipy.special.softmax`; it returns a Python float, rounded here to the logits' dtype."""
    from scipy.special import softmax  # noqa: PLC0415 - importing a peer takes seconds
    from sklearn.metrics import log_loss  # noqa: PLC0415

    loss = log_loss(target, softmax(logits, axis=1), labels=range(logits.shape[1]), normalize={"mean": True, "sum": False}[reduction])
    return logits.dtype.type(loss)


IMPLEMENTATIONS = (
    Implementation(
        "scikit-learn",
        cross_entropy,
        dtypes=("float16", "float32", "float64"),
        supports={"targets": ("index",), "ranks": (2,), "options": {"reduction": ("mean", "sum"), "ignore_index": ()}, "gradients": ()},
        grade={"float16": "staged/any"},
        unavailable=needs("peer-scikit-learn", "scipy", "sklearn"),
        named_only=True,
    ),
)
