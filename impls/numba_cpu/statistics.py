"""Maximum and sum of exponentials of a row, tile by tile: online softmax (Milakov and Gimelshein 2018)."""

# ruff: noqa: PLR0917 - the arguments of a kernel are passed by position

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.impls.numba_cpu.arithmetic import add, exponential_of, settled
from xentfuzz.impls.numba_cpu.compiling import inline, part
from xentfuzz.impls.numba_cpu.layout import NUMBERS
from xentfuzz.impls.numba_cpu.memory import float64_at, set_float64, size_of
from xentfuzz.impls.numba_cpu.tiles import keep_exponentials, largest, sum_of_exponentials

# What is known of a row: the largest logit m so far, s = sum exp(x - m) so far and what its roundings lost; for the kernels' own use, three
# numbers more. Functions of a row take the address of its numbers.
MAXIMUM, TOTAL, LOST, MASS, MOMENT, FACTOR = range(NUMBERS)


@inline
def numbers_of(room: Any, k: int) -> Any:
    return room.numbers + k * (8 * NUMBERS)


@inline
def begin(numbers: int) -> None:
    set_float64(numbers, MAXIMUM, -np.inf)
    for number in (TOTAL, LOST, MASS, MOMENT):
        set_float64(numbers, number, 0.0)


@inline
def kept_place(room: Any, arithmetic: Any, k: int, start: int) -> Any:
    """Where the exponentials of row k from class `start` on are kept, whole rows or one tile."""
    return room.kept.address + (k * room.kept.step + start * size_of(arithmetic) if room.whole else 0)


@inline
def take_tile(storage: Any, address: int, count: int, arithmetic: Any, kept: int, numbers: int) -> Any:
    """Take a tile into m and s of a row, and keep its exponentials unless `kept` is 0. What they were reduced by is returned.

    A NaN or +inf makes s NaN, for good. As long as there is nothing but -inf, any number will do in the place of the maximum.
    """
    before, total, lost = float64_at(numbers, MAXIMUM), float64_at(numbers, TOTAL), float64_at(numbers, LOST)
    now = max(before, largest(storage, address, count))
    if now > before > -np.inf:
        factor = exponential_of(before - now)
        total *= factor
        lost *= factor
    reference = now if now > -np.inf else 0.0
    if kept:
        term = keep_exponentials(storage, address, count, reference, arithmetic, kept)
    else:
        term = sum_of_exponentials(storage, address, count, reference, arithmetic)
    total, lost = add(total, lost, term)
    set_float64(numbers, MAXIMUM, now)
    set_float64(numbers, TOTAL, total)
    set_float64(numbers, LOST, lost)
    return reference


@inline
def total_of(numbers: int) -> Any:
    """s of a row; NaN for a row without a softmax: one with a NaN, with +inf or with nothing but -inf."""
    return settled(float64_at(numbers, TOTAL), float64_at(numbers, LOST)) if float64_at(numbers, MAXIMUM) > -np.inf else np.nan


@inline
def count_of_tiles(extent: Any) -> Any:
    return (extent.classes + extent.tile - 1) // extent.tile


@part
def take_tile_of_block(storage: Any, address: int, classes: int, arithmetic: Any, extent: Any, room: Any, k: int, start: int) -> Any:
    """`take_tile` for row k of a block, with its exponentials kept where whole rows of them are."""
    kept = kept_place(room, arithmetic, k, start) if room.whole else 0
    reference = take_tile(storage, address, classes, arithmetic, kept, numbers_of(room, k))
    if room.whole:
        set_float64(room.references, k * count_of_tiles(extent) + start // extent.tile, reference)
    return reference


@part
def exponentials_again(storage: Any, arithmetic: Any, extent: Any, room: Any, k: int, start: int, classes: int, address: int) -> Any:
    """The exponentials of a tile of row k: where they are, and the factor that makes them exp(x - m). Kept, or computed once more."""
    kept, top = kept_place(room, arithmetic, k, start), float64_at(numbers_of(room, k), MAXIMUM)
    if room.whole:
        tiles = count_of_tiles(extent)
        reference = float64_at(room.references, k * tiles + start // extent.tile)
        return kept, exponential_of(reference - top) if reference < top else 1.0
    keep_exponentials(storage, address, classes, top if top > -np.inf else 0.0, arithmetic, kept)
    return kept, 1.0
