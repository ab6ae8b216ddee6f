"""How the work of a call is laid out on a GPU, and the knobs of that."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xentfuzz.impls.numba_cuda.formats import Format
from xentfuzz.impls.numba_cuda.simulation import SIMULATED


@dataclass(frozen=True)
class Settings:
    """threads: of a block, a power of two. vectors: of 16 bytes, loaded at once by a thread. resident: blocks that a multiprocessor shall
    hold at least. rounds: blocks of vectors that a thread of a group narrower than a thread block shall have of a row, at most.
    pieces: thread blocks per multiprocessor that few long rows are cut for. share: bytes of a row that a block takes where blocks share
    rows whose gradient is wanted, so that the cache holds what is under way; 0 for rows of any length. held: vectors that a thread holds
    in registers of a row whose gradient is wanted, held_threads and held_resident: as threads and resident for that; held is 0 where rows
    shall be read twice. held_loss: whether few long rows are held for a loss alone, too. waves: thread blocks, in what the GPU holds at
    once. load_hint, store_hint: cache operators of PTX.
    """

    threads: int = 256
    vectors: int = 4
    resident: int = 1
    rounds: int = 2
    pieces: int = 4
    share: int = 1 << 16
    held: int = 8
    held_threads: int = 256
    held_resident: int = 3
    held_loss: bool = True
    waves: int = 1
    load_hint: str = ""
    store_hint: str = ""


# The simulator runs every CUDA thread as a Python thread: a call takes five times as long on four of them as on two.
_USUAL = Settings(threads=2, vectors=2, pieces=1, held=2, held_threads=2, held_loss=False) if SIMULATED else Settings()

# What is better for the kernels for rows side by side, by whether a gradient is wanted and by format. The figures are shares of the
# measured bandwidth of an H100 (3.05 TB/s) at (rows, classes), with the usual knobs and with these.
_LOSS: dict[str, int] = {"threads": 128, "resident": 5, "rounds": 4}
FOR_ROWS: dict[tuple[bool, str], dict[str, int]] = {
    # (8192, 32000): 0.93 -> 0.97; (4096, 128256): 0.97 -> 0.97; (65536, 1000): 0.81 -> 0.86.
    (False, "float32"): _LOSS,
    # (8192, 32000): 0.76 -> 0.93; (4096, 128256): 0.91 -> 0.98; (65536, 1000): 0.66 -> 0.76.
    (False, "bfloat16"): _LOSS,
    # Not tried: taken over from bfloat16, beside which it was with the usual knobs, 0.76 at (8192, 32000).
    (False, "float16"): _LOSS,
    # Not for gradients: {"held": 7, "held_resident": 4} takes float32 at (4096, 128256) from 0.84 to 0.88, but spills a register, and
    # bfloat16 at (8192, 32000) from 0.87 to 0.80.
}

_changes: dict[str, int | str] = {}


def use(**changes: int | str) -> None:
    """Knobs for the calls that follow, whatever is usual, to find out which are best; without any, the usual ones again."""
    _changes.clear()
    _changes.update(changes)


def usual() -> Settings:
    return replace(_USUAL, **_changes)  # type: ignore[arg-type]


def for_rows(floating: Format, *, gradient: bool) -> Settings:
    """The knobs of the kernels for rows whose classes lie side by side."""
    better = {} if SIMULATED else FOR_ROWS.get((gradient, floating.name), {})
    return replace(_USUAL, **{**better, **_changes})  # type: ignore[arg-type]


@dataclass(frozen=True)
class RowsLayout:
    """width_shift: a row is read by a group of 2**width_shift threads; pieces: groups that share a row; per_piece: vectors of a piece."""

    width_shift: int
    pieces: int
    per_piece: int

    def groups(self, settings: Settings) -> int:
        """How many rows a block of threads sees to at once."""
        return settings.threads >> self.width_shift


def shared_layout(settings: Settings, floating: Format, rows: int, classes: int, multiprocessors: int) -> RowsLayout:
    """As `rows_layout` where all blocks run at once and may wait for each other: a row for each block, or a part of about `share` bytes."""
    layout = rows_layout(settings, floating, rows, classes, multiprocessors)
    if 1 << layout.width_shift < settings.threads or settings.share == 0:
        return layout
    vectors = -(-classes // floating.per_vector)
    pieces = max(layout.pieces, -(-classes * floating.size // settings.share))
    pieces = max(1, min(pieces, vectors // (settings.threads * settings.vectors), multiprocessors, settings.threads))
    return RowsLayout(layout.width_shift, pieces, -(-vectors // pieces))


def held_layout(settings: Settings, floating: Format, rows: int, classes: int, capacity: int) -> RowsLayout | None:
    """Rows of which each thread block holds a part in registers, all parts at once; None where rows are too short or too long for it."""
    vectors = -(-classes // floating.per_vector)
    most = settings.held_threads * settings.held
    narrow = rows_layout(settings, floating, rows, classes, 1)
    if settings.held == 0 or 1 << narrow.width_shift < settings.threads or floating.real is not np.float32:
        return None
    pieces = -(-vectors // most)
    if pieces > capacity or (SIMULATED and pieces > 1):
        return None
    return RowsLayout(settings.held_threads.bit_length() - 1, pieces, -(-vectors // pieces))


def rows_layout(settings: Settings, floating: Format, rows: int, classes: int, multiprocessors: int) -> RowsLayout:
    """Narrow groups for short rows, a block for a long one, several blocks where there are too few of those to fill the GPU."""
    vectors = max(1, -(-classes // floating.per_vector))
    lanes = -(-vectors // (settings.vectors * settings.rounds))
    width_shift = min((lanes - 1).bit_length(), settings.threads.bit_length() - 1)
    pieces = 1
    if 1 << width_shift == settings.threads and rows < 2 * multiprocessors:
        most = vectors // (settings.threads * settings.vectors)
        pieces = max(1, min(most, -(-settings.pieces * multiprocessors // max(rows, 1))))
    return RowsLayout(width_shift, pieces, -(-vectors // pieces))
