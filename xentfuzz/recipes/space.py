"""What a recipe may be drawn from for one implementation, operation and dtype: capabilities and sizes, never filtered after drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xentfuzz.implementation import RANKS, TARGET_KINDS

# A family is a kind of input that is generated and judged together.
FAMILIES = {
    "ordinary": "finite logits; every target, weight, option, layout and shape",
    "special": "infinities, NaN, overflow, empty batches, nothing kept, weights that sum to zero: judged by sets of outcomes",
    "robust": "narrow target dtypes and an empty class axis: raising is fine, an answer must be right",
}


@dataclass(frozen=True)
class Space:
    """The limits of drawing. None means: everything that the operation knows.

    refused_layouts: rank of the first argument -> layouts that are not drawn there.
    options: option name -> values that may be drawn; an option that is absent stays at its default.
    largest: elements of the first argument; `long`: in the few cases with a real vocabulary size or many rows (0: no such case).
    target_dtypes: of class indices, in the ordinary and the special family.
    class_counts: the only ones where compiling is costly. regimes: kind of argument -> the only regimes that may be drawn.
    largest_logit: of the first argument, in absolute value; None for the format's largest number.
    loss_dtype: that of upstream gradients of losses, None for the dtype's own.
    shapes: (shape without the class axis, class count), the only ones that are drawn where
    every shape costs a compilation.
    """

    operation: str
    dtype: str
    family: str = "ordinary"
    targets: tuple[str, ...] = TARGET_KINDS
    target_dtypes: tuple[str, ...] = ("int64",)
    ranks: tuple[int, ...] = RANKS
    layouts: tuple[str, ...] | None = None
    refused_layouts: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    weight: bool = True
    options: Mapping[str, tuple[Any, ...] | None] = field(default_factory=dict)
    largest: int = 4096
    long: int = 200_000
    class_counts: tuple[int, ...] | None = None
    largest_class_count: int | None = None
    largest_row_count: int | None = None
    class_count_divisor: int = 1
    largest_logit: float | None = None
    regimes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    loss_dtype: str | None = None
    shapes: tuple[tuple[tuple[int, ...], int], ...] | None = None

    def layouts_at(self, rank: int) -> tuple[str, ...] | None:
        """The layouts that may be drawn where the first argument has that rank; None for all."""
        refused = self.refused_layouts.get(rank, ())
        return self.layouts if self.layouts is None else tuple(name for name in self.layouts if name not in refused)
