"""One comparison that a usual way of checking makes: arguments, expected results, and how close is close enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray

Array = np.ndarray[Any, Any]
# (actual, expected) -> whether they agree; it is only asked about equal shapes.
Close = Callable[[Array, Array], bool]


@dataclass(frozen=True, eq=False)
class Arguments:
    """logits: (C,), (N, C) or (N, C, d1, ...). target: class indices or probabilities. options: what differs from the defaults.

    layout: of logits and target, a name from `xentfuzz.recipes.layouts`.
    """

    logits: Array
    target: Array
    weight: Array | None = None
    options: dict[str, Any] = field(default_factory=dict)
    layout: str = "contiguous"

    @property
    def has_probabilities(self) -> bool:
        return self.target.shape == self.logits.shape and self.target.dtype.kind not in "iu"

    @property
    def loss_shape(self) -> tuple[int, ...]:
        axis = min(self.logits.ndim - 1, 1)
        shape: tuple[int, ...] = self.logits.shape
        return shape[:axis] + shape[axis + 1 :] if self.options.get("reduction") == "none" else ()


@dataclass(frozen=True, eq=False)
class Case:
    """logits, target, weight: as they are laid out in memory. grad_output and gradient: None where only the loss is compared."""

    dtype: str
    layout: str
    logits: StridedArray
    target: StridedArray
    weight: StridedArray | None
    options: dict[str, Any]
    loss: Array
    loss_close: Close
    grad_output: Array | None = None
    gradient: Array | None = None
    gradient_close: Close | None = None

    @property
    def has_probabilities(self) -> bool:
        return self.target.shape == self.logits.shape and self.target.dtype == self.dtype

    @property
    def classes(self) -> int:
        return self.logits.shape[min(len(self.logits.shape) - 1, 1)]

    @property
    def asked_for(self) -> set[str]:
        """The optional parameters that the implementation must have."""
        return set(self.options) | ({"weight"} if self.weight is not None else set())
