"""One pass over a part of a row that lies contiguously in memory: the innermost loops, all of them.

A part is (storage, address, count). Sums go over GROUP vectors in the arithmetic format, so that no lane adds up more than GROUP terms,
and over groups and lanes in float64: in float64 at most GROUP + TILE / (GROUP * LANES) + 4 roundings in a tile, in float32 those of a
group and no more. What is left of the last vector is read and written under a mask.
"""

# ruff: noqa: PLR0917 - the arguments of a kernel are passed by position

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.impls.numba_cpu.arithmetic import exponential
from xentfuzz.impls.numba_cpu.compiling import inline, part
from xentfuzz.impls.numba_cpu.memory import (
    load,
    load_some,
    number,
    prefetch,
    size_of,
    store,
    store_some,
    store_streaming,
    streaming_boundary,
    zeros,
)
from xentfuzz.impls.numba_cpu.vectors import LANES, fma, largest_lane, maximum, sum_of_lanes, widened, zero_unless

GROUP = 16
STEP = GROUP * LANES


@inline
def read(storage: Any, address: int, j: int, count: int, other: float) -> Any:
    """The elements from j on as a vector, with `other` beyond the end."""
    place = address + j * size_of(storage)
    return load(storage, place) if j + LANES <= count else load_some(storage, place, count - j, other)


@inline
def write(storage: Any, address: int, j: int, count: int, vector: Any) -> None:
    place = address + j * size_of(storage)
    if j + LANES <= count:
        store(storage, place, vector)
    else:
        store_some(storage, place, count - j, vector)


@part
def largest(storage: Any, address: int, count: int) -> Any:
    """The maximum of a part; a NaN is passed over."""
    whole = count // LANES * LANES
    best = read(storage, address, whole, count, -np.inf)
    for j in range(0, whole, LANES):
        best = maximum(load(storage, address + j * size_of(storage)), best)
    return np.float64(largest_lane(best))


@part
def sum_of_exponentials(storage: Any, address: int, count: int, reference: float, arithmetic: Any) -> Any:
    """The sum of exp(x - reference)."""
    shift, zero = number(arithmetic, reference), zeros(arithmetic)
    whole, total = count // LANES * LANES, widened(zero)
    for start in range(0, whole, STEP):
        group = zero
        for j in range(start, min(start + STEP, whole), LANES):
            prefetch(address + (count + j) * size_of(storage))
            p, power = exponential(load(storage, address + j * size_of(storage)), shift)
            group = fma(p, power, group)
        total = total + widened(group)
    if whole < count:
        p, power = exponential(read(storage, address, whole, count, -np.inf), shift)
        total = total + widened(p * power)
    return sum_of_lanes(total)


@part
def keep_exponentials(storage: Any, address: int, count: int, reference: float, arithmetic: Any, kept: int) -> Any:
    """`sum_of_exponentials`, whose terms are stored at the address `kept`, in the arithmetic format."""
    shift, zero = number(arithmetic, reference), zeros(arithmetic)
    total = widened(zero)
    for start in range(0, count, STEP):
        group = zero
        for j in range(start, min(start + STEP, count), LANES):
            prefetch(address + (count + j) * size_of(storage))
            p, power = exponential(read(storage, address, j, count, -np.inf), shift)
            e = p * power
            write(arithmetic, kept, j, count, e)
            group = group + e
        total = total + widened(group)
    return sum_of_lanes(total)


@part
def moments(
    storage: Any, address: int, count: int, reference: float, arithmetic: Any, hard: float, uniform: float, weights: int, probabilities: int
) -> tuple[float, float]:
    """The sums of q and q (reference - x), q = w (hard t + uniform); without probabilities (address 0) t = 0.

    A class without a share in the target is left out, where a masked logit of -inf must not count.
    """
    shift, zero, h, u = number(arithmetic, reference), zeros(arithmetic), number(arithmetic, hard), number(arithmetic, uniform)
    mass, moment = widened(zero), widened(zero)
    for start in range(0, count, STEP):
        masses, products = zero, zero
        for j in range(start, min(start + STEP, count), LANES):
            q = read(arithmetic, weights, j, count, 0.0)
            if probabilities:
                prefetch(probabilities + (count + j) * size_of(storage))
                q = q * fma(read(storage, probabilities, j, count, 0.0), h, u)
            else:
                q = q * u
            distance = shift - read(storage, address, j, count, 0.0)
            masses = masses + q
            products = products + zero_unless(q * distance, q)
        mass, moment = mass + widened(masses), moment + widened(products)
    return sum_of_lanes(mass), sum_of_lanes(moment)


@part
def scale(arithmetic: Any, kept: int, count: int, factor: float, storage: Any, out: int, streaming: bool) -> None:
    """out = e factor."""
    by, begin = number(arithmetic, factor), 0
    if streaming:
        begin = min(count, -out % streaming_boundary(storage) // size_of(storage))
        write(storage, out, 0, begin, read(arithmetic, kept, 0, begin, 0.0) * by)
        whole = begin + (count - begin) // LANES * LANES
        for j in range(begin, whole, LANES):
            store_streaming(storage, out + j * size_of(storage), load(arithmetic, kept + j * size_of(arithmetic)) * by)
        begin = whole
    for j in range(begin, count, LANES):
        write(storage, out, j, count, read(arithmetic, kept, j, count, 0.0) * by)


@part
def spread_gradient(
    arithmetic: Any,
    kept: int,
    count: int,
    factor: float,
    storage: Any,
    out: int,
    scale_of_row: float,
    hard: float,
    uniform: float,
    weights: int,
    probabilities: int,
) -> None:
    """out = e factor - scale q, for q as in `moments`."""
    by, h, u = number(arithmetic, factor), number(arithmetic, hard), number(arithmetic, uniform)
    minus_scale = number(arithmetic, -scale_of_row)
    for j in range(0, count, LANES):
        q = read(arithmetic, weights, j, count, 0.0)
        q = q * fma(read(storage, probabilities, j, count, 0.0), h, u) if probabilities else q * u
        write(storage, out, j, count, fma(q, minus_scale, read(arithmetic, kept, j, count, 0.0) * by))


@part
def log_softmax(storage: Any, address: int, count: int, largest_of_row: float, log_total: float, arithmetic: Any, out: int) -> None:
    """out = (x - m) - log s."""
    shift, log_sum = number(arithmetic, largest_of_row), number(arithmetic, log_total)
    for j in range(0, count, LANES):
        write(storage, out, j, count, (read(storage, address, j, count, 0.0) - shift) - log_sum)


@part
def sum_of(storage: Any, address: int, count: int, arithmetic: Any) -> Any:
    zero = zeros(arithmetic)
    total = widened(zero)
    for start in range(0, count, STEP):
        group = zero
        for j in range(start, min(start + STEP, count), LANES):
            group = group + read(storage, address, j, count, 0.0)
        total = total + widened(group)
    return sum_of_lanes(total)


@part
def dot_product(arithmetic: Any, kept: int, storage: Any, upstream: int, count: int) -> Any:
    """The sum of e g."""
    zero = zeros(arithmetic)
    total = widened(zero)
    for start in range(0, count, STEP):
        group = zero
        for j in range(start, min(start + STEP, count), LANES):
            group = fma(read(arithmetic, kept, j, count, 0.0), read(storage, upstream, j, count, 0.0), group)
        total = total + widened(group)
    return sum_of_lanes(total)


@part
def softmax_gradient(arithmetic: Any, kept: int, count: int, factor: float, storage: Any, upstream: int, common: float, out: int) -> None:
    """out = e factor (g - common)."""
    by, mean = number(arithmetic, factor), number(arithmetic, common)
    for j in range(0, count, LANES):
        g = read(storage, upstream, j, count, 0.0)
        write(storage, out, j, count, (read(arithmetic, kept, j, count, 0.0) * by) * (g - mean))


@part
def log_softmax_gradient(arithmetic: Any, kept: int, count: int, factor: float, storage: Any, upstream: int, out: int) -> None:
    """out = g - e factor."""
    minus = number(arithmetic, -factor)
    for j in range(0, count, LANES):
        write(storage, out, j, count, fma(read(arithmetic, kept, j, count, 0.0), minus, read(storage, upstream, j, count, 0.0)))


@part
def fill(storage: Any, out: int, count: int, value: float, arithmetic: Any) -> None:
    vector = zeros(arithmetic) + number(arithmetic, value)
    for j in range(0, count, LANES):
        write(storage, out, j, count, vector)
