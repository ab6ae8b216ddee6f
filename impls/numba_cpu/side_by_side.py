"""Cross entropy of 16 rows at once, a lane for each: for few classes, and where positions, not classes, lie side by side in memory.

A vector along a short row is mostly a mask, and what every row needs once (a maximum across lanes, a logarithm, a division) costs more than
its exponentials. With a lane for each row all of that is done for 16 rows together. Where classes lie side by side, a group of rows is
transposed into the first-level cache and its gradient back; images, (N, C, H, W), are read and written as they lie.

The sum over a row's classes: fours, as the sum of two pairs, in the arithmetic format; GROUP / 4 fours in float64, in order; these groups,
too. In float64 one long sum would lose what is half a unit of the largest term's last place, again and again.
"""

# ruff: noqa: PLR0917 - the arguments of a kernel are passed by position

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.impls.numba_cpu.arithmetic import add, exponential, logarithms, settled
from xentfuzz.impls.numba_cpu.compiling import inline, part
from xentfuzz.impls.numba_cpu.memory import (
    float64_at,
    int64_at,
    load,
    load_float64s,
    load_one,
    number,
    set_float64,
    size_of,
    store,
    store_float64s,
    store_one,
    zeros,
)
from xentfuzz.impls.numba_cpu.problem import is_ignored, scale_of, weight_of
from xentfuzz.impls.numba_cpu.rows import lie_side_by_side, move, place
from xentfuzz.impls.numba_cpu.tiles import read, write
from xentfuzz.impls.numba_cpu.vectors import LANES, maximum, narrowed, widened, zero_unless, zero_where_minus_infinity

# What is known of a group, LANES float64 numbers of each kind: m, s and log s of each row; the gradient's factor, 0 where a row is ignored;
# and 1 where it is not. Functions take the address of the first.
MAXIMA, TOTALS, LOGARITHMS, FACTORS, KEPT = (kind * LANES for kind in range(5))
GROUP = 64  # classes whose sums are added up one after the other


@part
def largest_of_each(storage: Any, x: int, class_step: int, classes: int, count: int, arithmetic: Any) -> Any:
    """The maximum of each row; a NaN is passed over."""
    best = zeros(arithmetic) + number(arithmetic, -np.inf)
    for c in range(classes):
        best = maximum(read(storage, x + c * class_step, 0, count, -np.inf), best)
    return best


@inline
def exponential_of_each(storage: Any, x: int, count: int, shift: Any, arithmetic: Any, kept: int) -> Any:
    """exp(x - m) of one class of each row, stored at the address `kept` unless that is 0."""
    p, power = exponential(read(storage, x, 0, count, -np.inf), shift)
    e = p * power
    if kept:
        store(arithmetic, kept, e)
    return e


@part
def sums_of_each(storage: Any, x: int, class_step: int, classes: int, count: int, shift: Any, arithmetic: Any, kept: int) -> Any:
    """The sum of the exponentials of each row, in float64."""
    zero, step = zeros(arithmetic), LANES * size_of(arithmetic) if kept else 0
    total = widened(zero)
    whole = classes // 4 * 4
    for start in range(0, whole, GROUP):
        group = widened(zero)
        for c in range(start, min(start + GROUP, whole), 4):
            place_of, room = x + c * class_step, kept + c * step
            first = exponential_of_each(storage, place_of, count, shift, arithmetic, room)
            second = exponential_of_each(storage, place_of + class_step, count, shift, arithmetic, room + step)
            third = exponential_of_each(storage, place_of + 2 * class_step, count, shift, arithmetic, room + 2 * step)
            fourth = exponential_of_each(storage, place_of + 3 * class_step, count, shift, arithmetic, room + 3 * step)
            group = group + widened((first + second) + (third + fourth))
        total = total + group
    rest = zero
    for c in range(whole, classes):
        rest = rest + exponential_of_each(storage, x + c * class_step, count, shift, arithmetic, kept + c * step)
    return total + widened(rest)


@part
def take_group(storage: Any, arithmetic: Any, x: int, class_step: int, classes: int, count: int, kept: int, numbers: int) -> None:
    """m, s and log s of each row; a NaN or +inf makes s NaN, and nothing but -inf makes it 0."""
    best = largest_of_each(storage, x, class_step, classes, count, arithmetic)
    totals = sums_of_each(storage, x, class_step, classes, count, zero_where_minus_infinity(best), arithmetic, kept)
    store_float64s(numbers + 8 * MAXIMA, widened(best))
    store_float64s(numbers + 8 * TOTALS, totals)
    store_float64s(numbers + 8 * LOGARITHMS, logarithms(totals))


@part
def loss_of_lane(storage: Any, arithmetic: Any, problem: Any, run: int, position: int, row: int, numbers: int, k: int) -> Any:
    """The loss of row k of a group; its factor by the way."""
    m, s, y = float64_at(numbers, MAXIMA + k), float64_at(numbers, TOTALS + k), int64_at(problem.targets, row)
    point = problem.hard * weight_of(arithmetic, problem, y)
    total = s if m > -np.inf else np.nan
    set_float64(numbers, FACTORS + k, scale_of(problem, row) * (point / total))
    distance = m - load_one(storage, place(problem.logits, run, position, y))
    loss = point * (distance + float64_at(numbers, LOGARITHMS + k)) if point != 0.0 else 0.0
    return loss if total > 0.0 else np.nan


@part
def losses_of_group(storage: Any, arithmetic: Any, problem: Any, run: int, position: int, count: int, row: int, numbers: int) -> Any:
    """Their sum; where they are wanted each, they are stored."""
    total, lost = 0.0, 0.0
    for k in range(count):
        loss, kept = 0.0, 0.0
        if is_ignored(problem, row + k):
            set_float64(numbers, FACTORS + k, 0.0)
        else:
            kept = 1.0
            loss = loss_of_lane(storage, arithmetic, problem, run, position + k, row + k, numbers, k)
        set_float64(numbers, KEPT + k, kept)
        total, lost = add(total, lost, loss)
        if problem.losses:
            store_one(storage, problem.losses + (row + k) * size_of(storage), loss)
    return settled(total, lost)


@part
def correct_target(storage: Any, arithmetic: Any, problem: Any, row: int, kept: int, numbers: int, out: int, step: int, k: int) -> None:
    """Write the gradient of the class that is the target: e factor - scale q; out, step: of the group, in bytes."""
    y = int64_at(problem.targets, row)
    e = load_one(arithmetic, kept + (y * LANES + k) * size_of(arithmetic))
    q = problem.hard * weight_of(arithmetic, problem, y)
    store_one(storage, out + y * step + k * size_of(storage), e * float64_at(numbers, FACTORS + k) - scale_of(problem, row) * q)


@part
def gradient_of_group(
    storage: Any, arithmetic: Any, problem: Any, count: int, row: int, kept: int, numbers: int, out: int, step: int
) -> None:
    factor = narrowed(arithmetic, load_float64s(numbers + 8 * FACTORS))
    is_kept = narrowed(arithmetic, load_float64s(numbers + 8 * KEPT))
    for c in range(problem.extent.classes):
        e = load(arithmetic, kept + c * (LANES * size_of(arithmetic)))
        write(storage, out + c * step, 0, count, zero_unless(e * factor, is_kept))
    for k in range(count):
        if not is_ignored(problem, row + k):
            correct_target(storage, arithmetic, problem, row + k, kept, numbers, out, step, k)


@part
def take_rows_side_by_side(storage: Any, arithmetic: Any, problem: Any, run: int, first: int, count: int, row: int, room: Any) -> Any:
    """Losses and gradients of a block; the sum of the losses."""
    size, classes = size_of(storage), problem.extent.classes
    logits, gradient = problem.logits, problem.gradient
    total, lost = 0.0, 0.0
    for start in range(0, count, LANES):
        lanes, position = min(LANES, count - start), first + start
        x, step = lie_side_by_side(storage, logits, run, position, lanes, classes, room.first)
        take_group(storage, arithmetic, x, step, classes, lanes, room.kept.address if gradient.address else 0, room.numbers)
        total, lost = add(total, lost, losses_of_group(storage, arithmetic, problem, run, position, lanes, row + start, room.numbers))
        if gradient.address:
            target = place(gradient, run, position, 0)
            direct = gradient.step == size
            out, out_step = (target, gradient.class_step) if direct else (room.out.address, LANES * size)
            gradient_of_group(storage, arithmetic, problem, lanes, row + start, room.kept.address, room.numbers, out, out_step)
            if not direct:
                move(storage, out, size, out_step, target, gradient.step, gradient.class_step, lanes, classes)
    return settled(total, lost)
