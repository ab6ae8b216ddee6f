"""Cross entropy: losses and gradients of blocks of rows.

    row loss      sum_c q_c l_c,   l_c = (m - x_c) + log s          q_c = w_c (hard t_c + uniform) + point [c = y]
    gradient      scale (p_c S - q_c),   S = sum_c q_c              hard = 1-a, uniform = a/C, point = hard w_y

What is spread over all classes is looked at only where there is any, a second time over a tile in the first-level cache.
"""

# ruff: noqa: PLR0917 - the arguments of a kernel are passed by position

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.impls.numba_cpu.arithmetic import add, exponential_of, logarithm, settled
from xentfuzz.impls.numba_cpu.compiling import kernel, part
from xentfuzz.impls.numba_cpu.memory import float64_at, int64_at, load_one, set_float64, size_of, store_one, take_ticket
from xentfuzz.impls.numba_cpu.problem import is_ignored, is_spread, scale_of, weight_of
from xentfuzz.impls.numba_cpu.rows import count_of_blocks, lie_contiguously, move, place, positions_of_block
from xentfuzz.impls.numba_cpu.side_by_side import take_rows_side_by_side
from xentfuzz.impls.numba_cpu.statistics import (
    FACTOR,
    MASS,
    MAXIMUM,
    MOMENT,
    begin,
    exponentials_again,
    numbers_of,
    take_tile_of_block,
    total_of,
)
from xentfuzz.impls.numba_cpu.tiles import fill, moments, scale, spread_gradient


@part
def add_moments(
    storage: Any,
    arithmetic: Any,
    problem: Any,
    address: int,
    classes: int,
    start: int,
    t: int,
    reference: float,
    before: float,
    numbers: int,
) -> None:
    """Take a tile into MASS, S so far, and MOMENT, sum q (m - x) so far; before: m before this tile; t: address of probabilities or 0."""
    weights = problem.weights + start * size_of(arithmetic)
    mass, moment = moments(storage, address, classes, reference, arithmetic, problem.hard, problem.uniform, weights, t)
    old_mass, old_moment = float64_at(numbers, MASS), float64_at(numbers, MOMENT)
    if before > -np.inf:
        old_moment += old_mass * (float64_at(numbers, MAXIMUM) - before)
    set_float64(numbers, MASS, old_mass + mass)
    set_float64(numbers, MOMENT, old_moment + moment)


@part
def take_rows(storage: Any, arithmetic: Any, problem: Any, run: int, first: int, count: int, row: int, room: Any) -> None:
    """m, s and what targets spread over all classes, of the rows of a block that are not ignored."""
    extent = problem.extent
    t, t_step = 0, 0
    for k in range(count):
        begin(numbers_of(room, k))
    for start in range(0, extent.classes, extent.tile):
        classes = min(extent.tile, extent.classes - start)
        address, step = lie_contiguously(storage, problem.logits, run, first, count, start, classes, room.first)
        if problem.probabilities.address:
            t, t_step = lie_contiguously(storage, problem.probabilities, run, first, count, start, classes, room.second)
        for k in range(count):
            if is_ignored(problem, row + k):
                continue
            numbers, x = numbers_of(room, k), address + k * step
            before = float64_at(numbers, MAXIMUM)
            reference = take_tile_of_block(storage, x, classes, arithmetic, extent, room, k, start)
            if is_spread(problem):
                add_moments(storage, arithmetic, problem, x, classes, start, t + k * t_step, reference, before, numbers)


@part
def loss_of_row(storage: Any, arithmetic: Any, problem: Any, logit: int, row: int, numbers: int) -> Any:
    """The loss of a row; S / s, by which the gradient multiplies its exponentials, becomes its FACTOR. logit: address of the target's."""
    total = total_of(numbers)
    log_total, point, loss = logarithm(total), 0.0, 0.0
    if is_spread(problem):
        loss = float64_at(numbers, MOMENT) + float64_at(numbers, MASS) * log_total
    if logit:
        point = problem.hard * weight_of(arithmetic, problem, int64_at(problem.targets, row))
        loss += point * ((float64_at(numbers, MAXIMUM) - load_one(storage, logit)) + log_total) if point != 0.0 else 0.0
    set_float64(numbers, FACTOR, (float64_at(numbers, MASS) + point) / total)
    return loss if total > 0.0 else np.nan


@part
def losses_of_block(storage: Any, arithmetic: Any, problem: Any, run: int, first: int, count: int, row: int, room: Any) -> Any:
    """Their sum; where they are wanted each, they are stored."""
    total, lost = 0.0, 0.0
    for k in range(count):
        loss = 0.0
        if not is_ignored(problem, row + k):
            logit = place(problem.logits, run, first + k, int64_at(problem.targets, row + k)) if problem.targets else 0
            loss = loss_of_row(storage, arithmetic, problem, logit, row + k, numbers_of(room, k))
        total, lost = add(total, lost, loss)
        if problem.losses:
            store_one(storage, problem.losses + (row + k) * size_of(storage), loss)
    return settled(total, lost)


@part
def correct_target(storage: Any, arithmetic: Any, problem: Any, run: int, position: int, row: int, numbers: int) -> None:
    """Write the gradient of the class that is the target: scale (p_y S - q_y)."""
    y = int64_at(problem.targets, row)
    e = exponential_of(load_one(storage, place(problem.logits, run, position, y)) - float64_at(numbers, MAXIMUM))
    q = (problem.hard + problem.uniform) * weight_of(arithmetic, problem, y)
    store_one(storage, place(problem.gradient, run, position, y), scale_of(problem, row) * (e * float64_at(numbers, FACTOR) - q))


@part
def gradient_of_tile(
    storage: Any, arithmetic: Any, problem: Any, x: int, classes: int, start: int, t: int, row: int, k: int, room: Any, out: int
) -> None:
    """scale (p_c S - q_c), without what a class index adds to q."""
    if is_ignored(problem, row):
        fill(storage, out, classes, 0.0, arithmetic)
        return
    kept, again = exponentials_again(storage, arithmetic, problem.extent, room, k, start, classes, x)
    by = scale_of(problem, row)
    factor = by * (float64_at(numbers_of(room, k), FACTOR) * again)
    if is_spread(problem):
        weights = problem.weights + start * size_of(arithmetic)
        spread_gradient(arithmetic, kept, classes, factor, storage, out, by, problem.hard, problem.uniform, weights, t)
    else:
        scale(arithmetic, kept, classes, factor, storage, out, problem.extent.streaming)


@part
def gradient_of_block(storage: Any, arithmetic: Any, problem: Any, run: int, first: int, count: int, row: int, room: Any) -> None:
    extent, gradient = problem.extent, problem.gradient
    direct = gradient.class_step == size_of(storage)
    x, x_step, t, t_step = 0, 0, 0, 0
    for start in range(0, extent.classes, extent.tile):
        classes = min(extent.tile, extent.classes - start)
        if not room.whole:
            x, x_step = lie_contiguously(storage, problem.logits, run, first, count, start, classes, room.first)
        if problem.probabilities.address:
            t, t_step = lie_contiguously(storage, problem.probabilities, run, first, count, start, classes, room.second)
        target = place(gradient, run, first, start)
        out, out_step = (target, gradient.step) if direct else (room.out.address, room.out.step)
        for k in range(count):
            gradient_of_tile(
                storage, arithmetic, problem, x + k * x_step, classes, start, t + k * t_step, row + k, k, room, out + k * out_step
            )
        if not direct:
            move(storage, out, out_step, size_of(storage), target, gradient.step, gradient.class_step, count, classes)
    if problem.targets:
        for k in range(count):
            if not is_ignored(problem, row + k):
                correct_target(storage, arithmetic, problem, run, first + k, row + k, numbers_of(room, k))


@kernel
def cross_entropy_kernel(storage: Any, arithmetic: Any, problems: Any, rooms: Any) -> None:
    """Losses, and gradients where there is an array for them, of all rows that no other thread takes. problems, rooms: one of each."""
    problem, room = problems[0], rooms[0]
    blocks = count_of_blocks(problem.extent)
    while True:
        begin_of_share = take_ticket(problem.ticket) * problem.extent.share
        if begin_of_share >= blocks:
            return
        for number in range(begin_of_share, min(begin_of_share + problem.extent.share, blocks)):
            run, first, count, row = positions_of_block(problem.extent, number)
            if problem.extent.side_by_side:
                set_float64(problem.sums, number, take_rows_side_by_side(storage, arithmetic, problem, run, first, count, row, room))
                continue
            take_rows(storage, arithmetic, problem, run, first, count, row, room)
            set_float64(problem.sums, number, losses_of_block(storage, arithmetic, problem, run, first, count, row, room))
            if problem.gradient.address:
                gradient_of_block(storage, arithmetic, problem, run, first, count, row, room)
