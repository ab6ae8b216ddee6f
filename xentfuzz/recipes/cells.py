"""Cells of class counts and rows: what is left of a tile of classes, how many tiles came before it, what is left of a group of rows.

A loop over classes in vectors or tiles goes wrong at a remainder, at a number of tiles, or both, and often for some numbers of rows only.
The share of cells that a run has compared says how much of that it can have seen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from xentfuzz.recipes.sizes import THOUSANDS, TILE

# The class counts that each band begins with; the last one ends with LARGEST.
BANDS = (1, 33, 129, 513, 1025, 2049)
LARGEST = max(THOUSANDS)
ROW_GROUP = 4

Cell = tuple[int, int, int]


def cell_of(rows: int, classes: int) -> Cell | None:
    """(band of the class count, class count modulo TILE, rows modulo ROW_GROUP); None for no row, no class or more than LARGEST classes."""
    if not rows or not 0 < classes <= LARGEST:
        return None
    return bisect_right(BANDS, classes) - 1, classes % TILE, rows % ROW_GROUP


def cell_count(takes: Callable[[int], bool], *, single_rows: bool = False) -> int:
    """How many cells there are among the class counts that `takes` holds for; single_rows: where a case has one row only."""
    counts = {cell_of(1, classes) for classes in range(1, LARGEST + 1) if takes(classes)}
    return len(counts) * (1 if single_rows else ROW_GROUP)
