"""scipy.special's softmax and log_softmax. No gradients."""

from __future__ import annotations

from typing import Any

from xentfuzz.implementation import Implementation
from xentfuzz.impls.peers.library import needs


def softmax(logits: Any, *, axis: int) -> Any:
    """`scipy.special.softmax`."""
    from scipy import special  # noqa: PLC0415 - importing a peer takes time

    return special.softmax(logits, axis=axis)


def log_softmax(logits: Any, *, axis: int) -> Any:
    """`scipy.special.log_softmax`."""
    from scipy import special  # noqa: PLC0415

    return special.log_softmax(logits, axis=axis)


IMPLEMENTATIONS = tuple(
    Implementation(
        "scipy",
        function,
        operation=function.__name__,
        dtypes=("float16", "float32", "float64"),
        supports={"ranks": (1, 2, 3, 4), "options": {"axis": None}, "gradients": ()},
        grade={"float16": "staged/any"},
        unavailable=needs("peer-scipy", "scipy"),
        named_only=True,
    )
    for function in (softmax, log_softmax)
)
