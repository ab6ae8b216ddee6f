"""Softmax cross entropy and its relatives as fused Numba kernels for the CPU, parallel over rows.

A row is read tile by tile. The first pass keeps the largest logit m so far and s = sum exp(x - m), which it rescales whenever m grows
(online softmax, Milakov and Gimelshein 2018), so that the loss needs one pass over memory; the gradient's second pass finds a row of usual
length in the cache. Nothing of the logits' size is stored but the gradient.

    load, store           between storage (16-bit floats as their bits) and a tile of the arithmetic format: float32, or float64 for float64
    largest               maximum of a tile
    exponential           polynomial exp, in a form that compilers vectorise
    row_statistics        m and s of a row
    *_kernel              one operation on a range of rows
    launch                splits the rows over threads

The kernels are plain functions until one of them is first needed: then `compile_kernels` replaces all of them by Numba's compiled forms,
which Numba caches on disk, so that importing this module needs no Numba.
"""

# ruff: noqa: PLR0917 - the arguments of a kernel are passed by position

from __future__ import annotations

import functools
import importlib.util
import math
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np

from xentfuzz.implementation import Implementation
from xentfuzz.impls import arguments
from xentfuzz.impls.arguments import Array, LossCall

Function = TypeVar("Function", bound=Callable[..., Any])

# A tile of logits and one of targets, upstream gradients or the like fit the smallest first-level cache, in float64 too. Sums are kept in
# the arithmetic format within a tile and in float64 across tiles, which bounds their rounding error.
TILE = 1024
# Fewer logits than these are not worth waking another thread for.
LOGITS_PER_THREAD = 32768

# How rows are stored.
PLAIN, FLOAT16, BFLOAT16 = 0, 1, 2
STORAGE = {"float16": FLOAT16, "bfloat16": BFLOAT16, "float32": PLAIN, "float64": PLAIN}

# Targets that are no class index.
IGNORED, NO_INDEX = -1, -2

# The order of every sum is written down, and no product is fused with a sum, so that results have the same bits on every processor: where
# the compiler is left to split a sum over vector lanes, their number decides how much is lost (8 lanes lose more than `blocked` allows).
# A tile has 64 partial sums, each of at most TILE / LANES terms: loops over them vectorise as they stand. NaN and infinities keep their
# meaning.
ELEMENT = {"fastmath": {"nsz"}}
LANES = 64

_plain_functions: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {}
_compile_lock = threading.Lock()


def jit(**options: Any) -> Callable[[Function], Function]:
    """Mark a function for `compile_kernels`, with options of `numba.njit`."""

    def mark(function: Function) -> Function:
        _plain_functions[function.__name__] = function, options
        return function

    return mark


def compile_kernels() -> None:
    """Put Numba's dispatchers in the place of the marked functions; each compiles, or loads from the cache, when it is first called."""
    with _compile_lock:
        while _plain_functions:
            name, (function, options) = _plain_functions.popitem()
            globals()[name] = _dispatcher(function, options)


def _dispatcher(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    import numba  # noqa: PLC0415 - importing Numba takes half a second

    try:
        return numba.njit(cache=True, error_model="numpy", **options)(function)
    except RuntimeError:  # nowhere to write a cache
        return numba.njit(error_model="numpy", **options)(function)


def unavailable() -> str | None:
    """Why Numba cannot be used here, or None."""
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed; `pip install numba` brings it"
    return None


# --- storage ---


class Tile(NamedTuple):
    """Room for a part of a row: `values` in the arithmetic format, `bits` the same memory as integers; and how rows are stored.

    lanes, masses, moments: LANES partial sums, the first in the arithmetic format, the others float64.
    """

    values: Any
    bits: Any
    storage: int
    lanes: Any
    masses: Any
    moments: Any


class Share(NamedTuple):
    """What spreads a target over all classes: q_c = w_c (hard t_c + uniform), hard = 1-a, uniform = a/C."""

    weights: Any
    hard: float
    uniform: float


@jit(**ELEMENT)
def float16_to_float32_bits(half: Any) -> Any:
    """The bits of the float32 with the value of a float16, both as integers."""
    magnitude = np.int32(half & 0x7FFF)
    subnormal = np.float32(np.float32(magnitude) * np.float32(2.0**-24)).view(np.int32)
    normal = np.int32((magnitude << 13) + (112 << 23))
    special = np.int32((magnitude << 13) | 0x7F800000)
    bits = subnormal if magnitude < 0x0400 else (normal if magnitude < 0x7C00 else special)
    return np.int32(bits | np.int32(np.uint32(half & 0x8000) << 16))


@jit(**ELEMENT)
def float32_to_float16_bits(bits: Any) -> Any:
    """The bits of the float16 nearest to a float32, ties to even, both as integers."""
    magnitude = np.int32(bits & 0x7FFFFFFF)
    # Below 2^-14 a float16 is a multiple of 2^-24, and scaling by a power of two is exact.
    small = np.int32(min(magnitude, np.int32(0x38800000))).view(np.float32)
    subnormal = np.int32(np.rint(small * np.float32(2.0**24)))
    normal = np.int32((magnitude - (112 << 23) + 0xFFF + ((magnitude >> 13) & 1)) >> 13)
    special = np.int32(0x7E00) if magnitude > 0x7F800000 else np.int32(0x7C00)
    half = subnormal if magnitude < 0x38800000 else (normal if magnitude < 0x47800000 else special)
    return np.uint16(half | np.int32((bits >> 16) & 0x8000))


@jit(**ELEMENT)
def float32_to_bfloat16_bits(bits: Any) -> Any:
    """The bits of the bfloat16 nearest to a float32, ties to even, both as integers."""
    word = np.uint32(bits)
    rounded = np.uint32((word + np.uint32(0x7FFF) + np.uint32((word >> 16) & 1)) >> 16)
    quiet_nan = np.uint32((word >> 16) | 0x40)
    return np.uint16(quiet_nan if np.int32(bits & 0x7FFFFFFF) > 0x7F800000 else rounded)


@jit(**ELEMENT)
def load(row: Any, start: int, tile: Tile) -> int:
    """Read row[start:start + TILE] into a tile; return how many elements that are."""
    count: int = min(TILE, row.size - start)
    part = row[start : start + count]  # indices that might be negative, such as start + j, would keep the loops from being vectorised
    if tile.storage == BFLOAT16:
        for j in range(count):
            tile.bits[j] = np.int32(np.uint32(part[j]) << 16)
    elif tile.storage == FLOAT16:
        for j in range(count):
            tile.bits[j] = float16_to_float32_bits(np.uint16(part[j]))
    else:
        for j in range(count):
            tile.values[j] = part[j]
    return count


@jit(**ELEMENT)
def store(row: Any, start: int, tile: Tile, count: int) -> None:
    """Write the first `count` elements of a tile to row[start:], rounded to nearest."""
    part = row[start : start + count]
    if tile.storage == BFLOAT16:
        for j in range(count):
            part[j] = float32_to_bfloat16_bits(tile.bits[j])
    elif tile.storage == FLOAT16:
        for j in range(count):
            part[j] = float32_to_float16_bits(tile.bits[j])
    else:
        for j in range(count):
            part[j] = tile.values[j]


@jit(**ELEMENT)
def load_one(row: Any, j: int, tile: Tile) -> float:
    load(row[j : j + 1], 0, tile)
    return np.float64(tile.values[0])


@jit(**ELEMENT)
def store_one(row: Any, j: int, tile: Tile, value: float) -> None:
    tile.values[0] = value
    store(row[j : j + 1], 0, tile, 1)


@jit(**ELEMENT)
def fill(row: Any, tile: Tile, value: float) -> None:
    """Set a whole row to `value`."""
    tile.values[:] = value
    for start in range(0, row.size, TILE):
        store(row, start, tile, min(TILE, row.size - start))


# --- maximum and exponentials ---


@jit(**ELEMENT)
def largest(tile: Tile, count: int) -> float:
    """The maximum of a tile, NaN if there is one in it.

    The maximum of floats does not vectorise, that of integers does. Sign and magnitude of a float, read as a two's complement integer, are
    in the order of the floats; a NaN has a greater magnitude than infinity, whatever its sign.
    """
    if tile.bits.itemsize == 8:
        return largest_float64(tile.bits, count)
    best, magnitude = np.int32(-0x7FFFFFFF), np.int32(0)
    for j in range(count):
        size = np.int32(tile.bits[j] & 0x7FFFFFFF)
        best = max(best, np.int32(-size) if tile.bits[j] < 0 else size)
        magnitude = max(magnitude, size)
    if magnitude > 0x7F800000:
        return np.nan
    value = np.float64(np.int32(abs(best)).view(np.float32))
    return value if best >= 0 else -value


@jit(**ELEMENT)
def largest_float64(bits: Any, count: int) -> float:
    """`largest` for float64, whose magnitudes have 63 bits."""
    best, magnitude = np.int64(-0x7FFFFFFFFFFFFFFF), np.int64(0)
    for j in range(count):
        size = np.int64(bits[j] & 0x7FFFFFFFFFFFFFFF)
        best = max(best, -size if bits[j] < 0 else size)
        magnitude = max(magnitude, size)
    if magnitude > 0x7FF0000000000000:
        return np.nan
    value = np.int64(abs(best)).view(np.float64)
    return value if best >= 0 else -value


LOG2_E = 1.0 / math.log(2.0)
LOG2_E_32 = np.float32(LOG2_E)
# ln 2 in two parts, the first of so few bits that its product with an exponent is exact.
LN2_HIGH_32 = np.float32(round(math.log(2.0) * 2.0**14) * 2.0**-14)
LN2_LOW_32 = np.float32(math.log(2.0) - float(LN2_HIGH_32))
LN2_HIGH_64 = round(math.log(2.0) * 2.0**40) * 2.0**-40
LN2_LOW_64 = (math.log(2.0) - LN2_HIGH_64) + 2.3190468138462996e-17  # by which ln 2 exceeds its float64


@jit(**ELEMENT)
def exponential_float32(x: Any) -> Any:
    """The exponential of a float32 x <= 0, within 2 units of roundoff: exp(x) = 2^k exp(r), |r| <= (ln 2)/2, by Taylor's polynomial.

    2^k is applied in two halves, so that results below the smallest normal number are rounded, not flushed.
    """
    x = max(x, np.float32(-110.0))
    k = np.floor(x * LOG2_E_32 + np.float32(0.5))
    r = (x - k * LN2_HIGH_32) - k * LN2_LOW_32
    p = np.float32(1 / 5040)
    p = p * r + np.float32(1 / 720)
    p = p * r + np.float32(1 / 120)
    p = p * r + np.float32(1 / 24)
    p = p * r + np.float32(1 / 6)
    p = p * r + np.float32(0.5)
    p = (p * r * r + r) + np.float32(1.0)
    exponent = np.int32(k)
    half = np.int32(exponent >> 1)
    rest = np.int32(exponent - half)
    return p * np.int32((half + 127) << 23).view(np.float32) * np.int32((rest + 127) << 23).view(np.float32)


@jit(**ELEMENT)
def exponential_float64(x: Any) -> Any:
    """`exponential_float32` for float64."""
    x = max(x, -750.0)
    k = np.floor(x * LOG2_E + 0.5)
    r = (x - k * LN2_HIGH_64) - k * LN2_LOW_64
    p = 1 / 6227020800
    p = p * r + 1 / 479001600
    p = p * r + 1 / 39916800
    p = p * r + 1 / 3628800
    p = p * r + 1 / 362880
    p = p * r + 1 / 40320
    p = p * r + 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 0.5
    p = (p * r * r + r) + 1.0
    exponent = np.int32(k)
    half = np.int64(exponent >> 1)
    rest = np.int64(exponent - half)
    return p * np.int64((half + 1023) << 52).view(np.float64) * np.int64((rest + 1023) << 52).view(np.float64)


@jit(**ELEMENT)
def exponentials(tile: Tile, count: int, maximum: float) -> None:
    """Replace the first `count` elements x of a tile by exp(x - maximum)."""
    if tile.values.itemsize == 8:
        for j in range(count):
            tile.values[j] = exponential_float64(tile.values[j] - maximum)
    else:
        shift = np.float32(maximum)
        for j in range(count):
            tile.values[j] = exponential_float32(np.float32(tile.values[j]) - shift)


@jit(**ELEMENT)
def added(lanes: Any) -> float:
    """The sum of partial sums, which are lost: in float64, or in halves that are added up where they are that already.

    One after the other, small sums that meet a large one first would each lose as much as that is rounded by.
    """
    if lanes.itemsize < 8:
        total = np.float64(0.0)
        for j in range(LANES):
            total += np.float64(lanes[j])
        return total
    width = LANES // 2
    while width:
        for j in range(width):
            lanes[j] += lanes[j + width]
        width //= 2
    return np.float64(lanes[0])


@jit(**ELEMENT)
def sum_of_exponentials(tile: Tile, count: int, maximum: float) -> float:
    """The sum of exp(x - maximum) over a tile."""
    tile.lanes[:] = 0.0
    for start in range(0, count, LANES):
        part = tile.values[start : min(start + LANES, count)]
        if tile.values.itemsize == 8:
            for j in range(part.size):
                tile.lanes[j] += exponential_float64(part[j] - maximum)
        else:
            shift = np.float32(maximum)
            for j in range(part.size):
                tile.lanes[j] += exponential_float32(np.float32(part[j]) - shift)
    return added(tile.lanes)


@jit(**ELEMENT)
def online(tile: Tile, count: int, maximum: float, total: float) -> Any:
    """Take a tile into the maximum m so far and s = sum exp(x - m) so far; both become NaN, for good, by a NaN or +inf."""
    top = largest(tile, count)
    if not top < np.inf:
        return np.nan, np.nan
    if top > maximum:
        total *= math.exp(maximum - top)
        maximum = top
    if maximum > -np.inf:
        total += sum_of_exponentials(tile, count, maximum)
    return maximum, total


@jit(**ELEMENT)
def row_statistics(row: Any, tile: Tile) -> Any:
    """The maximum m of a row, see `has_softmax`, and s = sum exp(x - m), both as float64."""
    maximum, total = -np.inf, 0.0
    for start in range(0, row.size, TILE):
        count = load(row, start, tile)
        maximum, total = online(tile, count, maximum, total)
    return maximum, total


@jit(**ELEMENT)
def has_softmax(maximum: float) -> bool:
    """Whether a row with this maximum has a softmax: not with a NaN or +inf in it (the maximum is NaN), nor with nothing but -inf."""
    return maximum > -np.inf


# --- softmax and log-softmax ---


@jit(**ELEMENT)
def log_softmax_tile(tile: Tile, count: int, maximum: float, log_total: float) -> None:
    for j in range(count):
        tile.values[j] = (tile.values[j] - maximum) - log_total


@jit(**ELEMENT)
def scale_tile(tile: Tile, count: int, factor: float) -> None:
    for j in range(count):
        tile.values[j] = tile.values[j] * factor


@jit(nogil=True, **ELEMENT)
def softmax_kernel(rows: Any, logarithm: bool, out: Any, tiles: Any, first: int, last: int) -> None:
    """Softmax, or its logarithm, of rows[first:last]."""
    tile = tiles[0]
    for i in range(first, last):
        maximum, total = row_statistics(rows[i], tile)
        if not has_softmax(maximum):
            fill(out[i], tile, np.nan)
            continue
        for start in range(0, rows.shape[1], TILE):
            count = load(rows[i], start, tile)
            if logarithm:
                log_softmax_tile(tile, count, maximum, math.log(total))
            else:
                exponentials(tile, count, maximum)
                scale_tile(tile, count, 1.0 / total)
            store(out[i], start, tile, count)


@jit(**ELEMENT)
def sum_of_tile(tile: Tile, count: int) -> float:
    tile.masses[:] = 0.0
    for start in range(0, count, LANES):
        part = tile.values[start : min(start + LANES, count)]
        for j in range(part.size):
            tile.masses[j] += np.float64(part[j])
    return added(tile.masses)


@jit(**ELEMENT)
def dot_product(left: Tile, right: Tile, count: int) -> float:
    left.masses[:] = 0.0
    for start in range(0, count, LANES):
        one, other = left.values[start : min(start + LANES, count)], right.values[start : min(start + LANES, count)]
        for j in range(one.size):
            left.masses[j] += np.float64(one[j]) * np.float64(other[j])
    return added(left.masses)


@jit(**ELEMENT)
def upstream_sum(row: Any, upstream: Any, logarithm: bool, maximum: float, total: float, tile: Tile, other: Tile) -> float:
    """What the gradient of a row needs to know of all its classes: sum p g for the softmax, sum g for its logarithm."""
    result = 0.0
    for start in range(0, row.size, TILE):
        count = load(upstream, start, other)
        if logarithm:
            result += sum_of_tile(other, count)
        else:
            load(row, start, tile)
            exponentials(tile, count, maximum)
            result += dot_product(tile, other, count) / total
    return result


@jit(**ELEMENT)
def softmax_gradient_tile(tile: Tile, upstream: Tile, count: int, common: float, total: float) -> None:
    """Turn p s, for s = `total`, into p (g - sum p g)."""
    for j in range(count):
        tile.values[j] = tile.values[j] / total * (upstream.values[j] - common)


@jit(**ELEMENT)
def log_softmax_gradient_tile(tile: Tile, upstream: Tile, count: int, common: float, total: float) -> None:
    """Turn p s, for s = `total`, into g - p sum g."""
    for j in range(count):
        tile.values[j] = upstream.values[j] - tile.values[j] / total * common


@jit(nogil=True, **ELEMENT)
def softmax_backward_kernel(rows: Any, upstream: Any, logarithm: bool, gradient: Any, tiles: Any, first: int, last: int) -> None:
    """Gradient of the softmax, or of its logarithm, of rows[first:last]."""
    tile, other = tiles
    for i in range(first, last):
        maximum, total = row_statistics(rows[i], tile)
        if not has_softmax(maximum):
            fill(gradient[i], tile, np.nan)
            continue
        common = upstream_sum(rows[i], upstream[i], logarithm, maximum, total, tile, other)
        for start in range(0, rows.shape[1], TILE):
            count = load(rows[i], start, tile)
            exponentials(tile, count, maximum)
            load(upstream[i], start, other)
            if logarithm:
                log_softmax_gradient_tile(tile, other, count, common, total)
            else:
                softmax_gradient_tile(tile, other, count, common, total)
            store(gradient[i], start, tile, count)


# --- NLL loss ---


@jit(nogil=True, **ELEMENT)
def gather_kernel(blocks: Any, targets: Any, picked: Any) -> None:
    """picked[n, k] = blocks[n, targets[n, k], k] where a target is not negative."""
    for n in range(targets.shape[0]):
        for k in range(targets.shape[1]):
            if targets[n, k] >= 0:
                picked[n, k] = blocks[n, targets[n, k], k]


@jit(nogil=True, **ELEMENT)
def scatter_kernel(blocks: Any, targets: Any, values: Any) -> None:
    """blocks[n, targets[n, k], k] = values[n, k] where a target is not negative."""
    for n in range(targets.shape[0]):
        for k in range(targets.shape[1]):
            if targets[n, k] >= 0:
                blocks[n, targets[n, k], k] = values[n, k]


# --- cross entropy ---


@jit(**ELEMENT)
def coefficient(share: Share, weight: Any, probability: Any) -> Any:
    """q_c of a class, without what a class index adds."""
    return weight * (share.hard * probability + share.uniform)


@jit(**ELEMENT)
def weighted_distance(q: Any, distance: Any) -> Any:
    """The product of q and m - x; nothing for a class without a share in the target, where a masked logit of -inf must not count."""
    return q * distance if q != 0.0 else 0.0


@jit(**ELEMENT)
def tile_moments(tile: Tile, probabilities: Tile, share: Share, start: int, count: int, reference: float) -> Any:
    """Sum of q, and sum of q (reference - x), over a tile."""
    tile.masses[:] = 0.0
    tile.moments[:] = 0.0
    weights = share.weights[start : start + count]
    for begin in range(0, count, LANES):
        end = min(begin + LANES, count)
        x, t, w = tile.values[begin:end], probabilities.values[begin:end], weights[begin:end]
        for j in range(x.size):
            q = coefficient(share, w[j], np.float64(t[j]))
            tile.masses[j] += q
            tile.moments[j] += weighted_distance(q, reference - np.float64(x[j]))
    return added(tile.masses), added(tile.moments)


@jit(**ELEMENT)
def load_probabilities(row: Any, start: int, tile: Tile) -> None:
    """Load a tile of class probabilities; zeros where the target is a class index, which is accounted for apart."""
    if row.size:
        load(row, start, tile)
    else:
        tile.values[:] = 0.0


@jit(**ELEMENT)
def row_moments(row: Any, probabilities: Any, share: Share, tile: Tile, other: Tile) -> Any:
    """As `row_statistics`, with sum q and sum q (m - x) besides, in the same pass."""
    maximum, total, mass, moment = -np.inf, 0.0, 0.0, 0.0
    for start in range(0, row.size, TILE):
        load_probabilities(probabilities, start, other)
        count = load(row, start, tile)
        before = maximum
        maximum, total = online(tile, count, maximum, total)
        if before > -np.inf:
            moment += mass * (maximum - before)
        # As long as there is nothing but -inf, any number will do in the place of the maximum.
        reference = maximum if maximum > -np.inf else 0.0
        tile_mass, tile_moment = tile_moments(tile, other, share, start, count, reference)
        mass += tile_mass
        moment += tile_moment
    return maximum, total, mass, moment


@jit(**ELEMENT)
def dense_gradient_tile(tile: Tile, probabilities: Tile, share: Share, start: int, count: int, mass: float, scale: float) -> None:
    """Turn p s into scale (p S - q), for mass = S / s."""
    weights = share.weights[start : start + count]
    for j in range(count):
        q = coefficient(share, weights[j], np.float64(probabilities.values[j]))
        tile.values[j] = scale * (tile.values[j] * mass - q)


@jit(nogil=True, **ELEMENT)
def cross_entropy_kernel(
    rows: Any,
    probabilities: Any,
    targets: Any,
    share: Share,
    scales: Any,
    losses: Any,
    gradient: Any,
    tiles: Any,
    first: int,
    last: int,
) -> None:
    """Losses of rows[first:last] and, where `gradient` has columns, their gradients times `scales`.

    targets: class indices known to be in range, or IGNORED, or NO_INDEX where `probabilities` has columns and holds the target. A class
    index y adds point = (1-a) w_y to q_y. What is spread over all classes is looked at only where there is any.
    """
    tile, other = tiles
    dense = probabilities.shape[1] > 0 or share.uniform > 0.0
    for i in range(first, last):
        y, point, logit, mass, moment = targets[i], 0.0, 0.0, 0.0, 0.0
        if y == IGNORED:
            losses[i] = 0.0
            fill(gradient[i], tile, 0.0)
            continue
        if dense:
            maximum, total, mass, moment = row_moments(rows[i], probabilities[i], share, tile, other)
        else:
            maximum, total = row_statistics(rows[i], tile)
        if not has_softmax(maximum):
            losses[i] = np.nan
            fill(gradient[i], tile, np.nan)
            continue
        loss = moment + mass * math.log(total)
        if y >= 0:
            logit = load_one(rows[i], y, tile)
            point = share.hard * share.weights[y]
            loss += weighted_distance(point, (maximum - logit) + math.log(total))
        losses[i] = loss
        if gradient.shape[1] == 0:
            continue
        mass = (mass + point) / total
        for start in range(0, rows.shape[1], TILE):
            count = load(rows[i], start, tile)
            exponentials(tile, count, maximum)
            if dense:
                load_probabilities(probabilities[i], start, other)
                dense_gradient_tile(tile, other, share, start, count, mass, scales[i])
            else:
                scale_tile(tile, count, scales[i] * mass)
            store(gradient[i], start, tile, count)
        if y >= 0:
            q = point + (coefficient(share, share.weights[y], 0.0) if dense else 0.0)
            store_one(gradient[i], y, tile, scales[i] * (math.exp(logit - maximum) * mass - q))


# --- launching ---


@functools.cache
def _threads() -> tuple[int, ThreadPoolExecutor]:
    """How many threads there may be and the pool of those beside the caller's.

    Threads of our own, rather than Numba's: GNU OpenMP kills a forked child, Numba's own pool aborts when two threads call at once, and
    kernels that are not compiled for either compile several times faster.
    """
    import numba  # noqa: PLC0415

    count = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]  # set at run time
    return count, ThreadPoolExecutor(max(count - 1, 1), thread_name_prefix="numba-cpu")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)  # a child has none of its parent's threads


def _new_tile(dtype: np.dtype[Any]) -> Tile:
    values = np.empty(TILE, np.float64 if dtype == np.float64 else np.float32)
    lanes, masses, moments = np.empty(LANES, values.dtype), np.empty(LANES), np.empty(LANES)
    return Tile(values, values.view(f"i{values.itemsize}"), STORAGE[dtype.name], lanes, masses, moments)


def launch(kernel: Callable[..., None], *kernel_arguments: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Run a kernel on all rows of a problem of `shape`, which is (rows, classes), on several threads where that pays."""
    rows, classes = shape
    count = min(rows, 1 + rows * classes // LOGITS_PER_THREAD)
    if count > 1:
        count = min(count, _threads()[0])

    def run(part: int) -> None:
        kernel(*kernel_arguments, (_new_tile(dtype), _new_tile(dtype)), rows * part // count, rows * (part + 1) // count)

    if count:
        others = [_threads()[1].submit(run, part) for part in range(1, count)]
        run(0)
        for other in others:
            other.result()


def _stored(rows: Array) -> Array:
    """The rows as kernels take them: 16-bit floats as integers."""
    return rows.view(np.uint16) if rows.itemsize == 2 else rows.view()


def _read_only(rows: Array) -> Array:
    """For inputs: a kernel cannot write to them, and writable and read-only arrays share one compiled kernel."""
    view = _stored(rows)
    view.flags.writeable = False
    return view


def _run_softmax(logits: Array, axis: int, *, logarithm: bool) -> Array:
    compile_kernels()
    logits, axis = arguments.check_softmax(logits, axis)
    rows = arguments.rows_of(logits, axis)
    out = np.empty(rows.shape, logits.dtype)
    launch(softmax_kernel, _read_only(rows), logarithm, _stored(out), shape=rows.shape, dtype=logits.dtype)
    return arguments.from_rows(out, logits.shape, axis)


def _run_softmax_backward(grad_output: Array, logits: Array, axis: int, *, logarithm: bool) -> Array:
    compile_kernels()
    logits, axis = arguments.check_softmax(logits, axis)
    upstream = arguments.rows_of(arguments.check_upstream(grad_output, logits.shape, logits.dtype), axis)
    rows = arguments.rows_of(logits, axis)
    gradient = np.empty(rows.shape, logits.dtype)
    launch(
        softmax_backward_kernel,
        _read_only(rows),
        _read_only(upstream),
        logarithm,
        _stored(gradient),
        shape=rows.shape,
        dtype=logits.dtype,
    )
    return arguments.from_rows(gradient, logits.shape, axis)


def softmax(logits: Array, *, axis: int) -> Array:
    """Softmax along `axis`: floating logits of any shape to an array of the same shape and dtype."""
    return _run_softmax(logits, axis, logarithm=False)


def softmax_backward(grad_output: Array, logits: Array, *, axis: int) -> Array:
    """Gradient p (g - sum p g) of the softmax with respect to the logits, for the upstream gradient g = `grad_output`."""
    return _run_softmax_backward(grad_output, logits, axis, logarithm=False)


def log_softmax(logits: Array, *, axis: int) -> Array:
    """Logarithm of the softmax along `axis`: floating logits of any shape to an array of the same shape and dtype."""
    return _run_softmax(logits, axis, logarithm=True)


def log_softmax_backward(grad_output: Array, logits: Array, *, axis: int) -> Array:
    """Gradient g - p sum g of the log-softmax with respect to the logits, for the upstream gradient g = `grad_output`."""
    return _run_softmax_backward(grad_output, logits, axis, logarithm=True)


def _targets(call: LossCall) -> Array:
    """The target for the kernels, one int64 per row: a class index in range, or one of the markers."""
    if call.probabilities:
        return np.full(call.rows, NO_INDEX)
    indices, kept = arguments.class_indices(call)
    return np.where(kept, indices, IGNORED)


def _class_weights(call: LossCall) -> Array:
    return np.ones(call.classes) if call.weight is None else call.weight.astype(np.float64)


def _denominator(call: LossCall, targets: Array, weights: Array) -> float:
    """W, by which a mean divides; NaN where there is nothing to take a mean of."""
    if call.probabilities:
        return call.rows or math.nan
    kept = targets[targets >= 0]
    return (kept.size if call.weight is None else float(weights[kept].sum())) or math.nan


def _scales(grad_output: Array, call: LossCall, denominator: float) -> Array:
    """The derivative of the final scalar by each row's loss."""
    upstream = grad_output.astype(np.float64).reshape(-1)
    scales = upstream if call.reduction == "none" else np.full(call.rows, upstream[0])
    return scales / denominator if call.reduction == "mean" else scales


def _reduce(losses: Array, denominator: float, call: LossCall) -> Array:
    if call.reduction == "none":
        return losses.reshape(call.positions).astype(call.dtype)
    total = losses.sum()
    if call.reduction == "mean":
        # The mean can be a number where the sum overflows.
        total = total / denominator if np.isfinite(total) else (losses / denominator).sum()
    return np.asarray(total).astype(call.dtype)


def _blocks(array: Array, call: LossCall) -> Array:
    """The array as (batch, classes, positions per batch element)."""
    outer, inner = math.prod(call.shape[: call.class_axis]), math.prod(call.shape[call.class_axis + 1 :])
    return np.require(array, requirements=("C", "A")).reshape(outer, call.classes, inner)


@np.errstate(all="ignore")
def nll_loss(log_probs: Array, target: Array, *, weight: Array | None = None, ignore_index: int = -100, reduction: str = "mean") -> Array:
    """Negative log likelihood -w_y x_y of log-probabilities (C,), (N, C) or (N, C, d1, ...) at class indices (), (N,) or (N, d1, ...)."""
    compile_kernels()
    call = arguments.check_nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    targets, weights = _targets(call), _class_weights(call)
    blocks = _blocks(call.first, call)
    picked = np.zeros((blocks.shape[0], blocks.shape[2]), call.dtype)
    gather_kernel(_read_only(blocks), targets.reshape(picked.shape), _stored(picked))
    losses = -np.where(targets >= 0, weights[targets], 0.0) * picked.reshape(-1).astype(np.float64)
    return _reduce(losses, _denominator(call, targets, weights), call)


@np.errstate(all="ignore")
def nll_loss_backward(
    grad_output: Array, log_probs: Array, target: Array, *, weight: Array | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Array:
    """Gradient of nll_loss with respect to the log-probabilities: -r w_y at the target of a kept row, else 0."""
    compile_kernels()
    call = arguments.check_nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    targets, weights = _targets(call), _class_weights(call)
    scales = _scales(call.upstream(grad_output), call, _denominator(call, targets, weights))
    gradient = np.zeros(call.shape, call.dtype)
    blocks = _blocks(gradient, call)
    values = (-scales * weights[targets]).astype(call.dtype).reshape(blocks.shape[0], blocks.shape[2])
    scatter_kernel(_stored(blocks), targets.reshape(values.shape), _read_only(values))
    return gradient


def _run_cross_entropy(call: LossCall, targets: Array, weights: Array, scales: Array | None) -> tuple[Array, Array]:
    """The row losses in float64 and the gradient of the logits' shape; where no `scales` are given, the latter is empty."""
    rows = arguments.rows_of(call.first, call.class_axis)
    probabilities = arguments.rows_of(call.target, call.class_axis) if call.probabilities else np.empty((call.rows, 0), call.dtype)
    losses = np.empty(call.rows)
    gradient = np.empty((call.rows, 0 if scales is None else call.classes), call.dtype)
    launch(
        cross_entropy_kernel,
        _read_only(rows),
        _read_only(probabilities),
        targets,
        Share(weights, 1.0 - call.label_smoothing, call.label_smoothing / call.classes),
        losses if scales is None else scales,
        losses,
        _stored(gradient),
        shape=rows.shape,
        dtype=call.dtype,
    )
    return losses, gradient if scales is None else arguments.from_rows(gradient, call.shape, call.class_axis)


@np.errstate(all="ignore")
def cross_entropy(
    logits: Array,
    target: Array,
    *,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Softmax cross entropy of logits (C,), (N, C) or (N, C, d1, ...).

    target: class indices (), (N,) or (N, d1, ...), or class probabilities of the logits' shape and dtype. weight: (C,), the logits' dtype.
    The loss has the shape of such indices under reduction "none", else it is 0-d; its dtype is that of the logits.
    """
    compile_kernels()
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    targets, weights = _targets(call), _class_weights(call)
    losses, _ = _run_cross_entropy(call, targets, weights, None)
    return _reduce(losses, _denominator(call, targets, weights), call)


@np.errstate(all="ignore")
def cross_entropy_backward(
    grad_output: Array,
    logits: Array,
    target: Array,
    *,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Gradient of cross_entropy with respect to the logits, for an upstream gradient of the loss's shape and dtype."""
    compile_kernels()
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    targets, weights = _targets(call), _class_weights(call)
    scales = _scales(call.upstream(grad_output), call, _denominator(call, targets, weights))
    return _run_cross_entropy(call, targets, weights, scales)[1]


@np.errstate(all="ignore")
def cross_entropy_value_and_grad(
    logits: Array,
    target: Array,
    *,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> tuple[Array, Array]:
    """The loss and the gradient of its sum."""
    compile_kernels()
    call = arguments.check_cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )
    targets, weights = _targets(call), _class_weights(call)
    denominator = _denominator(call, targets, weights)
    scales = np.full(call.rows, 1.0 / denominator if call.reduction == "mean" else 1.0)
    losses, gradient = _run_cross_entropy(call, targets, weights, scales)
    return _reduce(losses, denominator, call), gradient


IMPLEMENTATIONS = tuple(
    Implementation(
        "numba-cpu",
        forward,
        backward=backward,
        value_and_grad=value_and_grad,
        operation=forward.__name__,
        dtypes=arguments.FLOAT_NAMES,
        supports=supports,
        grade="shift/blocked",
        unavailable=unavailable,
    )
    for forward, backward, value_and_grad, supports in (
        (softmax, softmax_backward, None, arguments.SOFTMAX_SUPPORT),
        (log_softmax, log_softmax_backward, None, arguments.SOFTMAX_SUPPORT),
        (nll_loss, nll_loss_backward, None, arguments.NLL_LOSS_SUPPORT),
        (cross_entropy, cross_entropy_backward, cross_entropy_value_and_grad, arguments.CROSS_ENTROPY_SUPPORT),
    )
)
