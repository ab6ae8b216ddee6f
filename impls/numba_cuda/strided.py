"""Kernels for every layout and option, an element at a time: rows whose classes are apart, softmax and its relatives, soft targets.

The threads of a block stand in a rectangle: neighbouring threads see to neighbouring rows ("columns" of them, a power of 2) where that is
how memory lies, and to neighbouring classes of one row where classes lie side by side; sums over the classes go through shared memory.
Matrices are (address, three strides of a row's position, stride of a class) in bytes; an address of 0 means that there is none.
"""

# ruff: noqa: C901, PLR0912, PLR0915, PLR0917 - a kernel is one function, and its arguments are passed by position

# mypy: disable-error-code="untyped-decorator, attr-defined, misc"

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from xentfuzz.impls.numba_cuda import parts
from xentfuzz.impls.numba_cuda.formats import FORMATS, Format

MATRIX, POSITIONS, INDICES, VECTOR, SHAPE = 5, 4, 5, 2, 3


def _statistics(machine: SimpleNamespace, floating: Format, threads: int) -> Any:
    """statistics(address, stride, classes, first, apart, columns, scratch): maximum and sum of exponentials of a row, for all its threads.

    The sum is NaN for a row without a softmax: one with a NaN or +inf, or all -inf.
    """
    load, exponential = machine.load, machine.exponential
    larger, added = parts.element_steps(machine)
    maximum_of, total_of = parts.block_maximum(machine, threads), parts.block_sum(machine, threads)
    lowest, zero, nan = floating.lowest, floating.real(0), floating.nan

    @machine.jit
    def statistics(address: Any, stride: Any, classes: Any, first: Any, apart: Any, columns: Any, scratch: Any) -> Any:
        maximum, total = lowest, zero
        c, step = first, apart * stride
        # Eight at once: that many loads are under way, and an eighth of the roundings of a sum one by one is left.
        while c + 7 * apart < classes:
            x = address + c * stride
            x0, x1, x2, x3 = load(x), load(x + step), load(x + 2 * step), load(x + 3 * step)
            x4, x5, x6, x7 = load(x + 4 * step), load(x + 5 * step), load(x + 6 * step), load(x + 7 * step)
            top = larger(larger(larger(maximum, x0, zero), x1, zero), larger(x2, x3, zero), zero)
            top = larger(top, larger(larger(x4, x5, zero), larger(x6, x7, zero), zero), zero)
            some = (exponential(x0 - top) + exponential(x1 - top)) + (exponential(x2 - top) + exponential(x3 - top))
            more = (exponential(x4 - top) + exponential(x5 - top)) + (exponential(x6 - top) + exponential(x7 - top))
            total = total * exponential(maximum - top) + (some + more)
            maximum = top
            c += 8 * apart
        for c_last in range(c, classes, apart):
            x = load(address + c_last * stride)
            top = larger(maximum, x, zero)
            total = added(total * exponential(maximum - top), x, top)
            maximum = top
        top = maximum_of(maximum, scratch, columns)
        total = total_of(total * exponential(maximum - top), scratch, columns)
        return top, nan if total == zero else total

    return statistics


def softmax_kernel(machine: SimpleNamespace, floating: Format, threads: int, *, logarithm: bool) -> Any:
    """Softmax of each row, or its logarithm."""
    thread, block, blocks, load, store = machine.thread, machine.block, machine.blocks, machine.load, machine.store
    cuda, scratch_size, element = machine.cuda, machine.scratch_size, machine.element
    exponential, log = machine.exponential, machine.logarithm
    place, statistics = parts.places(machine), _statistics(machine, floating, threads)

    def kernel(logits: Any, out: Any, shape: Any, rows: Any, classes: Any, columns_shift: Any) -> None:
        scratch = cuda.shared.array(scratch_size, element)
        columns = np.int64(1) << columns_shift
        lane, apart = thread() >> columns_shift, np.int64(threads) >> columns_shift
        first_row = block() << columns_shift
        while first_row < rows:
            given = first_row + (thread() & (columns - 1))
            first_row += blocks() << columns_shift
            row = min(given, rows - 1)
            address, result = place(row, logits, shape), place(row, out, shape)
            maximum, total = statistics(address, logits[4], classes, lane, apart, columns, scratch)
            if given < rows:
                for c in range(lane, classes, apart):
                    distance = load(address + c * logits[4]) - maximum
                    # Without a softmax the total is NaN, and with it every value.
                    store(result + c * out[4], distance - log(total) if logarithm else exponential(distance) / total)

    return kernel


def softmax_backward_kernel(machine: SimpleNamespace, floating: Format, threads: int, *, logarithm: bool) -> Any:
    """Gradient p (g - sum p g) of the softmax of each row, or g - p sum g of its logarithm."""
    thread, block, blocks, load, store = machine.thread, machine.block, machine.blocks, machine.load, machine.store
    cuda, scratch_size, element, exponential = machine.cuda, machine.scratch_size, machine.element, machine.exponential
    place, statistics = parts.places(machine), _statistics(machine, floating, threads)
    total_of, zero = parts.block_sum(machine, threads), floating.real(0)

    def kernel(logits: Any, upstream: Any, out: Any, shape: Any, rows: Any, classes: Any, columns_shift: Any) -> None:
        scratch = cuda.shared.array(scratch_size, element)
        columns = np.int64(1) << columns_shift
        lane, apart = thread() >> columns_shift, np.int64(threads) >> columns_shift
        first_row = block() << columns_shift
        while first_row < rows:
            given = first_row + (thread() & (columns - 1))
            first_row += blocks() << columns_shift
            row = min(given, rows - 1)
            address, above, result = place(row, logits, shape), place(row, upstream, shape), place(row, out, shape)
            maximum, total = statistics(address, logits[4], classes, lane, apart, columns, scratch)
            common = zero
            for c in range(lane, classes, apart):
                g = load(above + c * upstream[4])
                common += g if logarithm else exponential(load(address + c * logits[4]) - maximum) / total * g
            common = total_of(common, scratch, columns)
            if given < rows:
                for c in range(lane, classes, apart):
                    p = exponential(load(address + c * logits[4]) - maximum) / total
                    g = load(above + c * upstream[4])
                    store(result + c * out[4], g - p * common if logarithm else p * (g - common))

    return kernel


def nll_loss_kernel(machine: SimpleNamespace, floating: Format, threads: int) -> Any:
    """One thread per row: -w_y x_y, and 0 where the target is ignored."""
    thread, block, blocks, load, store = machine.thread, machine.block, machine.blocks, machine.load, machine.store
    cuda, scratch_size, element, store_int64 = machine.cuda, machine.scratch_size, machine.element, machine.store_int64
    place, class_index, leave_record = parts.places(machine), parts.class_index(machine), parts.leave_record(machine, floating, threads)
    zero, one, nan = floating.real(0), floating.real(1), floating.nan

    def kernel(log_probs: Any, target: Any, weight: Any, losses: Any, shape: Any, sizes: Any, records: Any, flag: Any) -> None:
        rows, classes, ignore_index = sizes
        scratch = cuda.shared.array(scratch_size, element)
        total, weights, kept = zero, zero, np.int64(0)
        for row in range(block() * threads + thread(), rows, blocks() * threads):
            y = class_index(place(row, target, shape), target[4], ignore_index)
            loss = zero
            if y != ignore_index:
                kept += 1
                loss = nan
                if 0 <= y < classes:
                    class_weight = load(weight[0] + y * weight[1]) if weight[0] != 0 else one
                    weights += class_weight
                    loss = -class_weight * load(place(row, log_probs, shape) + y * log_probs[4])
                else:
                    store_int64(flag, np.int64(1))
            total += loss
            if losses[0] != 0:
                store(place(row, losses, shape), loss)
        if records != 0:
            leave_record(records, total, weights, kept, scratch)

    return kernel


def nll_loss_backward_kernel(machine: SimpleNamespace, floating: Format, threads: int) -> Any:
    """Gradient of each row: -r w_y at the target of a kept row, else 0."""
    thread, block, blocks, load, store = machine.thread, machine.block, machine.blocks, machine.load, machine.store
    place, class_index, denominator = parts.places(machine), parts.class_index(machine), parts.denominator(machine, floating)
    store_int64, zero, one = machine.store_int64, floating.real(0), floating.real(1)

    def kernel(
        target: Any, weight: Any, upstream: Any, out: Any, shape: Any, sizes: Any, columns_shift: Any, denominators: Any, flag: Any
    ) -> None:
        rows, classes, ignore_index = sizes
        lane, apart = thread() >> columns_shift, np.int64(threads) >> columns_shift
        divisor = denominator(denominators[0], denominators[1], denominators[2])
        first_row = block() << columns_shift
        while first_row < rows:
            row = first_row + (thread() & ((np.int64(1) << columns_shift) - 1))
            first_row += blocks() << columns_shift
            if row < rows:
                y = class_index(place(row, target, shape), target[4], ignore_index)
                if y != ignore_index and not 0 <= y < classes:
                    store_int64(flag, np.int64(1))
                for c in range(lane, classes, apart):
                    value = zero
                    if c == y and y != ignore_index:
                        class_weight = load(weight[0] + y * weight[1]) if weight[0] != 0 else one
                        value = -load(place(row, upstream, shape)) / divisor * class_weight
                    store(place(row, out, shape) + c * out[4], value)

    return kernel


def _coefficient(machine: SimpleNamespace, floating: Format) -> Any:
    """coefficient(...): q_c = w_c ((1-a) t_c + a/C) with hard = 1-a and uniform = a/C; t is one-hot at y for a class index."""
    load, zero = machine.load, floating.real(0)

    @machine.jit
    def coefficient(c: Any, y: Any, row: Any, stride: Any, weight: Any, hard: Any, uniform: Any) -> Any:
        share = uniform
        if row != 0:
            share += hard * load(row + c * stride)
        elif c == y:
            share += hard
        # The weight of a class without a share must not be read: it could be NaN.
        if weight[0] != 0 and share != zero:
            share = share * load(weight[0] + c * weight[1])
        return share

    return coefficient


def _spread_evenly(machine: SimpleNamespace, floating: Format) -> tuple[Any, Any]:
    """For the part of a target that is the same for every class, without weights.

    distances(address, stride, classes, first, apart, maximum): the sum of maximum - x over a thread's classes.
    gradient(..., out, out_stride, scale, share, base, y, at_target): write scale (share exp(x - maximum) - base - at_target where c is y).
    """
    load, store, exponential, zero = machine.load, machine.store, machine.exponential, floating.real(0)

    @machine.jit
    def distances(address: Any, stride: Any, classes: Any, first: Any, apart: Any, maximum: Any) -> Any:
        total, c, step = zero, first, apart * stride
        while c + 3 * apart < classes:
            x = address + c * stride
            x0, x1, x2, x3 = load(x), load(x + step), load(x + 2 * step), load(x + 3 * step)
            total += ((maximum - x0) + (maximum - x1)) + ((maximum - x2) + (maximum - x3))
            c += 4 * apart
        for c_last in range(c, classes, apart):
            total += maximum - load(address + c_last * stride)
        return total

    @machine.jit
    def gradient(
        address: Any, stride: Any, classes: Any, first: Any, apart: Any, maximum: Any, out: Any, out_stride: Any, scale: Any, share: Any,
        base: Any, y: Any, at_target: Any,
    ) -> None:  # fmt: skip
        c, step, out_step = first, apart * stride, apart * out_stride
        while c + 3 * apart < classes:
            x, place = address + c * stride, out + c * out_stride
            x0, x1, x2, x3 = load(x), load(x + step), load(x + 2 * step), load(x + 3 * step)
            store(place, scale * ((exponential(x0 - maximum) * share - base) - (at_target if c == y else zero)))
            store(place + out_step, scale * ((exponential(x1 - maximum) * share - base) - (at_target if c + apart == y else zero)))
            at_2, at_3 = (at_target if c + 2 * apart == y else zero), (at_target if c + 3 * apart == y else zero)
            store(place + 2 * out_step, scale * ((exponential(x2 - maximum) * share - base) - at_2))
            store(place + 3 * out_step, scale * ((exponential(x3 - maximum) * share - base) - at_3))
            c += 4 * apart
        for c_last in range(c, classes, apart):
            value = exponential(load(address + c_last * stride) - maximum) * share - base
            store(out + c_last * out_stride, scale * (value - (at_target if c_last == y else zero)))

    return distances, gradient


def cross_entropy_kernel(machine: SimpleNamespace, floating: Format, threads: int) -> Any:
    """Loss of each row and, where `out` is given, its gradient. The target is in `probabilities` where that is given."""
    thread, block, blocks, load, store = machine.thread, machine.block, machine.blocks, machine.load, machine.store
    cuda, scratch_size, element, store_int64 = machine.cuda, machine.scratch_size, machine.element, machine.store_int64
    exponential, logarithm = machine.exponential, machine.logarithm
    place, class_index, statistics = parts.places(machine), parts.class_index(machine), _statistics(machine, floating, threads)
    distances, even_gradient = _spread_evenly(machine, floating)
    coefficient, total_of = _coefficient(machine, floating), parts.block_sum(machine, threads)
    denominator, leave_record = parts.denominator(machine, floating), parts.leave_record(machine, floating, threads)
    real, zero, one, nan, shrunk = floating.real, floating.real(0), floating.real(1), floating.nan, floating.real(parts.SHRUNK)

    def kernel(
        logits: Any, out: Any, probabilities: Any, target: Any, weight: Any, losses: Any, upstream: Any, shape: Any, sizes: Any,
        columns_shift: Any, denominators: Any, records: Any, flag: Any, hard: Any, uniform: Any,
    ) -> None:  # fmt: skip
        rows, classes, ignore_index = sizes
        scratch = cuda.shared.array(scratch_size, element)
        columns = np.int64(1) << columns_shift
        lane, apart = thread() >> columns_shift, np.int64(threads) >> columns_shift
        divisor = denominator(denominators[0], denominators[1], denominators[2])
        soft = probabilities[0] != 0
        even = not soft and weight[0] == 0
        sum_of_losses, weights, kept_rows = zero, zero, np.int64(0)
        first_row = block() << columns_shift
        while first_row < rows:
            given = first_row + (thread() & (columns - 1))
            first_row += blocks() << columns_shift
            row, writes = min(given, rows - 1), given < rows
            address = place(row, logits, shape)
            t = place(row, probabilities, shape) if soft else np.int64(0)
            y = np.int64(-1) if soft else class_index(place(row, target, shape), target[4], ignore_index)
            kept = soft or y != ignore_index
            inside = soft or 0 <= y < classes
            counted = classes if kept and inside else np.int64(0)
            maximum, total = statistics(address, logits[4], counted, lane, apart, columns, scratch)
            # Without anything spread over all classes only the target's class counts, and one thread sees to it.
            first, step = lane, apart
            if not soft and uniform == zero:
                first, step = (y if lane == 0 else classes), classes
            mass, moment = zero, zero
            if kept and inside and even:
                if uniform != zero:
                    mass = uniform * real(classes) if lane == 0 else zero
                    moment = uniform * distances(address, logits[4], classes, lane, apart, maximum)
                if lane == 0 and hard != zero:
                    mass += hard
                    moment += hard * (maximum - load(address + y * logits[4]))
            elif kept and inside:
                for c in range(first, classes, step):
                    q = coefficient(c, y, t, probabilities[4], weight, hard, uniform)
                    if q != zero:  # a masked logit of -inf counts only in a class with a share in the target
                        mass += q
                        moment += q * (maximum - load(address + c * logits[4]))
            mass = total_of(mass, scratch, columns)
            moment = total_of(moment, scratch, columns)
            if writes and lane == 0:
                loss = zero
                if kept:
                    kept_rows += 1
                    loss = nan
                    if inside:
                        loss = moment + mass * logarithm(total)
                        if not soft:
                            weights += load(weight[0] + y * weight[1]) if weight[0] != 0 else one
                    else:
                        store_int64(flag, np.int64(1))
                sum_of_losses += loss * shrunk if even and uniform == zero else loss
                if losses[0] != 0:
                    store(place(row, losses, shape), loss)
            if writes and out[0] != 0:
                scale = (load(place(row, upstream, shape)) if upstream[0] != 0 else one) / divisor
                if not inside:
                    scale = nan
                result = place(row, out, shape)
                if kept and even:
                    even_gradient(
                        address, logits[4], classes, lane, apart, maximum, result, out[4], scale, mass / total, uniform, y, hard,
                    )  # fmt: skip
                for c in range(classes if kept and even else lane, classes, apart):
                    value = zero
                    if kept:
                        p = exponential(load(address + c * logits[4]) - maximum) / total
                        value = scale * (p * mass - coefficient(c, y, t, probabilities[4], weight, hard, uniform))
                    store(result + c * out[4], value)
        if records != 0:
            leave_record(records, sum_of_losses, weights, kept_rows, scratch)

    return kernel


def _kernel(factory: Callable[..., Any], **options: bool) -> Callable[..., Any]:
    return lambda machine, which: factory(machine, FORMATS[which.format], which.threads, **options)


_SOFTMAX = (MATRIX, MATRIX, SHAPE, 0, 0, 0)
_SOFTMAX_BACKWARD = (MATRIX, MATRIX, MATRIX, SHAPE, 0, 0, 0)

# As `compiler.KERNELS`.
KERNELS: dict[str, tuple[Callable[..., Any], tuple[int | str, ...]]] = {
    "softmax": (_kernel(softmax_kernel, logarithm=False), _SOFTMAX),
    "log_softmax": (_kernel(softmax_kernel, logarithm=True), _SOFTMAX),
    "softmax_backward": (_kernel(softmax_backward_kernel, logarithm=False), _SOFTMAX_BACKWARD),
    "log_softmax_backward": (_kernel(softmax_backward_kernel, logarithm=True), _SOFTMAX_BACKWARD),
    "nll_loss": (_kernel(nll_loss_kernel), (MATRIX, INDICES, VECTOR, POSITIONS, SHAPE, 3, 0, 0)),
    "nll_loss_backward": (_kernel(nll_loss_backward_kernel), (INDICES, VECTOR, POSITIONS, MATRIX, SHAPE, 3, 0, 3, 0)),
    "cross_entropy": (
        _kernel(cross_entropy_kernel),
        (MATRIX, MATRIX, MATRIX, INDICES, VECTOR, POSITIONS, POSITIONS, SHAPE, 3, 0, 3, 0, 0, "real", "real"),
    ),
}
