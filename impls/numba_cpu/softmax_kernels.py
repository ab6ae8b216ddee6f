"""Softmax, log-softmax and their gradients: blocks of rows.

softmax       p = exp(x - m) / s            its gradient   p (g - sum p g)
log-softmax   (x - m) - log s               its gradient   g - p sum g
"""

# ruff: noqa: PLR0917 - the arguments of a kernel are passed by position

from __future__ import annotations

from typing import Any

from xentfuzz.impls.numba_cpu.arithmetic import logarithm
from xentfuzz.impls.numba_cpu.compiling import kernel, part
from xentfuzz.impls.numba_cpu.memory import float64_at, set_float64, size_of, take_ticket
from xentfuzz.impls.numba_cpu.rows import count_of_blocks, lie_contiguously, move, place, positions_of_block
from xentfuzz.impls.numba_cpu.softmax_side_by_side import write_rows_side_by_side
from xentfuzz.impls.numba_cpu.statistics import MASS, MAXIMUM, begin, exponentials_again, numbers_of, take_tile_of_block, total_of
from xentfuzz.impls.numba_cpu.tiles import dot_product, log_softmax, log_softmax_gradient, scale, softmax_gradient, sum_of


@part
def take_rows(storage: Any, arithmetic: Any, problem: Any, run: int, first: int, count: int, room: Any) -> None:
    """m and s of all rows of a block."""
    extent = problem.extent
    for k in range(count):
        begin(numbers_of(room, k))
    for start in range(0, extent.classes, extent.tile):
        classes = min(extent.tile, extent.classes - start)
        address, step = lie_contiguously(storage, problem.logits, run, first, count, start, classes, room.first)
        for k in range(count):
            take_tile_of_block(storage, address + k * step, classes, arithmetic, extent, room, k, start)


@part
def sum_upstream(storage: Any, arithmetic: Any, problem: Any, run: int, first: int, count: int, room: Any) -> None:
    """MASS of each row: sum p g for the softmax, sum g for its logarithm."""
    extent = problem.extent
    x, x_step = 0, 0
    for start in range(0, extent.classes, extent.tile):
        classes = min(extent.tile, extent.classes - start)
        upstream, g_step = lie_contiguously(storage, problem.upstream, run, first, count, start, classes, room.second)
        if not (room.whole or problem.logarithm):
            x, x_step = lie_contiguously(storage, problem.logits, run, first, count, start, classes, room.first)
        for k in range(count):
            numbers, g = numbers_of(room, k), upstream + k * g_step
            if problem.logarithm:
                term = sum_of(storage, g, classes, arithmetic)
            else:
                kept, again = exponentials_again(storage, arithmetic, extent, room, k, start, classes, x + k * x_step)
                term = dot_product(arithmetic, kept, storage, g, classes) * (again / total_of(numbers))
            set_float64(numbers, MASS, float64_at(numbers, MASS) + term)


@part
def write_tile(
    storage: Any, arithmetic: Any, problem: Any, x: int, classes: int, start: int, k: int, room: Any, g: int, out: int
) -> None:  # fmt: skip
    """Results of one tile of a row; g: address of its upstream gradient, 0 for the forward."""
    numbers = numbers_of(room, k)
    total, mass = total_of(numbers), float64_at(numbers, MASS)
    if problem.logarithm and not g:
        log_softmax(storage, x, classes, float64_at(numbers, MAXIMUM), logarithm(total), arithmetic, out)
        return
    kept, again = exponentials_again(storage, arithmetic, problem.extent, room, k, start, classes, x)
    if not g:
        scale(arithmetic, kept, classes, again / total, storage, out, problem.extent.streaming)
    elif problem.logarithm:
        log_softmax_gradient(arithmetic, kept, classes, again / total * mass, storage, g, out)
    else:
        softmax_gradient(arithmetic, kept, classes, again / total, storage, g, mass, out)


@part
def write_block(storage: Any, arithmetic: Any, problem: Any, run: int, first: int, count: int, room: Any) -> None:
    extent, out = problem.extent, problem.out
    direct, g, g_step = out.class_step == size_of(storage), 0, 0
    for start in range(0, extent.classes, extent.tile):
        classes = min(extent.tile, extent.classes - start)
        x, x_step = lie_contiguously(storage, problem.logits, run, first, count, start, classes, room.first)
        if problem.upstream.address:
            g, g_step = lie_contiguously(storage, problem.upstream, run, first, count, start, classes, room.second)
        target = place(out, run, first, start)
        written, step = (target, out.step) if direct else (room.out.address, room.out.step)
        for k in range(count):
            write_tile(storage, arithmetic, problem, x + k * x_step, classes, start, k, room, g + k * g_step, written + k * step)
        if not direct:
            move(storage, written, step, size_of(storage), target, out.step, out.class_step, count, classes)


@kernel
def softmax_kernel(storage: Any, arithmetic: Any, problems: Any, rooms: Any) -> None:
    """Softmax or its logarithm, or the gradient where there is an upstream gradient, of all rows that no other thread takes."""
    problem, room = problems[0], rooms[0]
    blocks = count_of_blocks(problem.extent)
    while True:
        begin_of_share = take_ticket(problem.ticket) * problem.extent.share
        if begin_of_share >= blocks:
            return
        for number in range(begin_of_share, min(begin_of_share + problem.extent.share, blocks)):
            run, first, count, _ = positions_of_block(problem.extent, number)
            if problem.extent.side_by_side:
                write_rows_side_by_side(storage, arithmetic, problem, run, first, count, room)
                continue
            take_rows(storage, arithmetic, problem, run, first, count, room)
            if problem.upstream.address:
                sum_upstream(storage, arithmetic, problem, run, first, count, room)
            write_block(storage, arithmetic, problem, run, first, count, room)
