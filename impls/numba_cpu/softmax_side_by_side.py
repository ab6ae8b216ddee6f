"""Softmax, log-softmax and their gradients of 16 rows at once (see `side_by_side`)."""

# ruff: noqa: PLR0917 - the arguments of a kernel are passed by position

from __future__ import annotations

from typing import Any

from xentfuzz.impls.numba_cpu.compiling import part
from xentfuzz.impls.numba_cpu.memory import load, load_float64s, size_of, zeros
from xentfuzz.impls.numba_cpu.rows import lie_side_by_side, move, place
from xentfuzz.impls.numba_cpu.side_by_side import GROUP, LOGARITHMS, MAXIMA, TOTALS, take_group
from xentfuzz.impls.numba_cpu.tiles import read, write
from xentfuzz.impls.numba_cpu.vectors import LANES, fma, narrowed, widened


@part
def write_softmax(storage: Any, arithmetic: Any, kept: int, classes: int, count: int, numbers: int, out: int, step: int) -> None:
    """out = e / s; NaN for a row without a softmax, whose s is NaN, or 0 as its exponentials are."""
    factor = narrowed(arithmetic, 1.0 / load_float64s(numbers + 8 * TOTALS))
    for c in range(classes):
        write(storage, out + c * step, 0, count, load(arithmetic, kept + c * (LANES * size_of(arithmetic))) * factor)


@part
def write_log_softmax(
    storage: Any, arithmetic: Any, x: int, x_step: int, classes: int, count: int, numbers: int, out: int, step: int
) -> None:  # fmt: skip
    """out = (x - m) - log s."""
    shift, log_sum = (
        narrowed(arithmetic, load_float64s(numbers + 8 * MAXIMA)),
        narrowed(arithmetic, load_float64s(numbers + 8 * LOGARITHMS)),
    )
    for c in range(classes):
        write(storage, out + c * step, 0, count, (read(storage, x + c * x_step, 0, count, 0.0) - shift) - log_sum)


@part
def sums_of_upstream(storage: Any, arithmetic: Any, g: int, g_step: int, classes: int, count: int, kept: int) -> Any:
    """The sum of e g of each row, or of g where `kept` is 0: pairs in the arithmetic format, then groups as in `side_by_side`."""
    total, step = widened(zeros(arithmetic)), LANES * size_of(arithmetic)
    for start in range(0, classes, GROUP):
        group = widened(zeros(arithmetic))
        for c in range(start, min(start + GROUP, classes), 2):
            first = read(storage, g + c * g_step, 0, count, 0.0)
            second = read(storage, g + (c + 1) * g_step, 0, count, 0.0) if c + 1 < classes else zeros(arithmetic)
            if kept:
                e = load(arithmetic, kept + (c + 1) * step) if c + 1 < classes else zeros(arithmetic)
                group = group + widened(fma(load(arithmetic, kept + c * step), first, second * e))
            else:
                group = group + widened(first + second)
        total = total + group
    return total


@part
def write_softmax_gradient(
    storage: Any, arithmetic: Any, kept: int, g: int, g_step: int, classes: int, count: int, numbers: int, out: int, step: int
) -> None:  # fmt: skip
    """out = p (g - sum p g)."""
    by = 1.0 / load_float64s(numbers + 8 * TOTALS)
    mean = narrowed(arithmetic, sums_of_upstream(storage, arithmetic, g, g_step, classes, count, kept) * by)
    factor = narrowed(arithmetic, by)
    for c in range(classes):
        p = load(arithmetic, kept + c * (LANES * size_of(arithmetic))) * factor
        write(storage, out + c * step, 0, count, p * (read(storage, g + c * g_step, 0, count, 0.0) - mean))


@part
def write_log_softmax_gradient(
    storage: Any, arithmetic: Any, kept: int, g: int, g_step: int, classes: int, count: int, numbers: int, out: int, step: int
) -> None:  # fmt: skip
    """out = g - p sum g."""
    mass = sums_of_upstream(storage, arithmetic, g, g_step, classes, count, 0)
    factor = narrowed(arithmetic, mass / load_float64s(numbers + 8 * TOTALS))
    for c in range(classes):
        e = load(arithmetic, kept + c * (LANES * size_of(arithmetic)))
        write(storage, out + c * step, 0, count, read(storage, g + c * g_step, 0, count, 0.0) - e * factor)


@part
def write_rows_side_by_side(storage: Any, arithmetic: Any, problem: Any, run: int, first: int, count: int, room: Any) -> None:
    """Results of a block."""
    size, classes, kept, numbers = size_of(storage), problem.extent.classes, room.kept.address, room.numbers
    target = problem.out
    direct = target.step == size
    for start in range(0, count, LANES):
        lanes, position = min(LANES, count - start), first + start
        x, x_step = lie_side_by_side(storage, problem.logits, run, position, lanes, classes, room.first)
        has_upstream = problem.upstream.address != 0
        take_group(storage, arithmetic, x, x_step, classes, lanes, kept if has_upstream or not problem.logarithm else 0, numbers)
        place_of = place(target, run, position, 0)
        out, step = (place_of, target.class_step) if direct else (room.out.address, LANES * size)
        if has_upstream:
            g, g_step = lie_side_by_side(storage, problem.upstream, run, position, lanes, classes, room.second)
            if problem.logarithm:
                write_log_softmax_gradient(storage, arithmetic, kept, g, g_step, classes, lanes, numbers, out, step)
            else:
                write_softmax_gradient(storage, arithmetic, kept, g, g_step, classes, lanes, numbers, out, step)
        elif problem.logarithm:
            write_log_softmax(storage, arithmetic, x, x_step, classes, lanes, numbers, out, step)
        else:
            write_softmax(storage, arithmetic, kept, classes, lanes, numbers, out, step)
        if not direct:
            move(storage, out, size, step, place_of, target.step, target.class_step, lanes, classes)
