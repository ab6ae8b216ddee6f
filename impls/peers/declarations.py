"""What several adapters declare of their libraries."""

from __future__ import annotations

from typing import Any

FLOATS = ("float16", "bfloat16", "float32", "float64")
# On a CPU most libraries keep sums, their logarithms and other intermediates of 16-bit arrays in 16 bits.
GRADE = {"float16": "staged/any", "bfloat16": "staged/any"}
NORMALISED: dict[str, Any] = {"ranks": (1, 2, 3, 4), "options": {"axis": None}}


def loss(*options: str, targets: tuple[str, ...] = ("index",), ranks: tuple[int, ...] = (2, 3, 4), weight: bool = False) -> dict[str, Any]:
    """`supports` of a loss with reductions and these options, each with all its values; no row is ignored unless there is one for it."""
    named = {"reduction": None, "ignore_index": (), **dict.fromkeys(options)}
    return {"targets": targets, "ranks": ranks, "options": named, "weight": weight}
