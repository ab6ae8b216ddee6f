"""torch's linear_cross_entropy in chunks, with the identity as its weight: that product makes NaN of infinities."""

from __future__ import annotations

from typing import Any

from xentfuzz.implementation import Implementation
from xentfuzz.impls.peers.declarations import FLOATS, GRADE, loss
from xentfuzz.impls.peers.library import needs


def cross_entropy(logits: Any, target: Any, **options: Any) -> Any:
    """`torch.nn.functional.linear_cross_entropy` with `torch.nn.LinearCrossEntropyOptions()`."""
    import torch  # noqa: PLC0415 - importing torch takes seconds
    from torch.nn.functional import linear_cross_entropy  # noqa: PLC0415

    identity = torch.eye(logits.shape[1], dtype=logits.dtype)
    return linear_cross_entropy(logits, identity, target, options=torch.nn.LinearCrossEntropyOptions(), **options)


SUPPORTS = loss("ignore_index", "label_smoothing", ranks=(2,), weight=True) | {"target_dtypes": ("int64",), "largest_class_count": 4096}
IMPLEMENTATIONS = (
    Implementation(
        "torch-linear-cross-entropy",
        cross_entropy,
        array="torch",
        dtypes=FLOATS,
        supports=SUPPORTS,
        grade=GRADE,
        unavailable=needs("peer-torch", "torch"),
        named_only=True,
    ),
)
