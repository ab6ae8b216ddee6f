"""Device functions that several kernels are made of: places of rows, sums over a block, the statistics of a row.

Every one is a factory over the machine (`gpu.py` or `simulator.py`) whose instructions it uses. An array of positions is
(address, three strides in bytes, kind of integer or 0); a matrix has the stride of its classes as the last number instead.
"""

# ruff: noqa: D402, PLR0917 - what a factory makes is described by its signature; arguments of device functions are passed by position

# mypy: disable-error-code="untyped-decorator, attr-defined, misc"

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from xentfuzz.impls.numba_cuda.formats import Format

# A record of what a block found, for the blocks of later launches: the sum of its losses, of its weights, how many rows it kept.
RECORD = 24
# Losses of class indices without weights or smoothing are 0 or at least an epsilon: so much smaller they add up exactly as well, and the
# mean of fewer than 2^32 of them is a number even where their sum would be none.
SHRUNK = 2.0**-32


def places(machine: SimpleNamespace) -> Any:
    """place(row, array, shape): the address of a row in an array of positions or a matrix; there are fewer than 2^32 rows."""
    divided = machine.divided

    @machine.jit
    def place(row: Any, array: Any, shape: Any) -> Any:
        if shape[0] * shape[1] == 1:
            return array[0] + row * array[3]
        line = divided(row, shape[2])
        plane = divided(line, shape[1])
        return array[0] + plane * array[1] + (line - plane * shape[1]) * array[2] + (row - line * shape[2]) * array[3]

    return place


def class_index(machine: SimpleNamespace) -> Any:
    """class_index(address, kind, ignore_index): the class at an address; a uint64 from 2^63 on is a negative one that is not ignored."""
    load_index = machine.load_index

    @machine.jit
    def class_index(address: Any, kind: Any, ignore_index: Any) -> Any:
        found = load_index(address, kind)
        if kind == 8 and found < 0:
            return np.int64(-2) if ignore_index == -1 else np.int64(-1)
        return found

    return class_index


def block_sum(machine: SimpleNamespace, threads: int) -> Any:
    """block_sum(value, scratch, apart): for the threads below `apart`, the sum of every `apart`-th thread's values, in a tree."""
    thread, barrier = machine.thread, machine.barrier

    @machine.jit
    def block_sum(value: Any, scratch: Any, apart: Any) -> Any:
        me, stride = thread(), threads >> 1
        barrier()  # another reduction's result may still be read
        scratch[me] = value
        barrier()
        while stride >= apart:
            if me < stride:
                scratch[me] = scratch[me] + scratch[me + stride]
            barrier()
            stride >>= 1
        return scratch[me & (apart - 1)]

    return block_sum


def block_maximum(machine: SimpleNamespace, threads: int) -> Any:
    """As `block_sum`, the largest value, none of them NaN."""
    thread, barrier, maximum = machine.thread, machine.barrier, machine.maximum

    @machine.jit
    def block_maximum(value: Any, scratch: Any, apart: Any) -> Any:
        me, stride = thread(), threads >> 1
        barrier()
        scratch[me] = value
        barrier()
        while stride >= apart:
            if me < stride:
                scratch[me] = maximum(scratch[me], scratch[me + stride])
            barrier()
            stride >>= 1
        return scratch[me & (apart - 1)]

    return block_maximum


def denominator(machine: SimpleNamespace, floating: Format) -> Any:
    """denominator(records, count, weighted): what a mean divides by, from the records of `count` blocks; 1 where there are none.

    A negative count is minus the divisor itself.

    A count stays an integer to the end: in float32 it would stand still at 2^24.
    """
    load_real, load_int64 = machine.load_real, machine.load_int64
    real = floating.real
    zero, one = real(0), real(1)

    @machine.jit
    def denominator(records: Any, count: Any, weighted: Any) -> Any:
        if count == 0:
            return one
        if count < 0:
            return real(-count)
        weights, kept = zero, np.int64(0)
        for record in range(count):
            weights += load_real(records + record * RECORD + 8)
            kept += load_int64(records + record * RECORD + 16)
        return weights if weighted else real(kept)

    return denominator


def leave_record(machine: SimpleNamespace, floating: Format, threads: int) -> Any:
    """leave_record(records, total, weights, kept, scratch): sums over the block, in a record of the block's."""
    thread, block, store_real, store_int64 = machine.thread, machine.block, machine.store_real, machine.store_int64
    total_of, real = block_sum(machine, threads), floating.real

    # A block keeps fewer rows than float32 counts exactly, 2^24; all blocks together need not.
    @machine.jit
    def leave_record(records: Any, total: Any, weights: Any, kept: Any, scratch: Any) -> None:
        total = total_of(total, scratch, 1)
        weights = total_of(weights, scratch, 1)
        count = total_of(real(kept), scratch, 1)
        if thread() == 0:
            store_real(records + block() * RECORD, total)
            store_real(records + block() * RECORD + 8, weights)
            store_int64(records + block() * RECORD + 16, np.int64(count))

    return leave_record


def element_steps(machine: SimpleNamespace) -> Any:
    """The steps of an online softmax: larger(value, x), and added(total, x, maximum) with exp(x - maximum)."""
    maximum, exponential = machine.maximum, machine.exponential

    @machine.jit
    def larger(value: Any, x: Any, _: Any) -> Any:
        return maximum(value, x)

    @machine.jit
    def added(total: Any, x: Any, top: Any) -> Any:
        return total + exponential(x - top)

    return larger, added


def row_statistics(machine: SimpleNamespace, floating: Format, vectors: int) -> Any:
    """row_statistics(address, first, classes, extra, bodies, lane, width): a lane's maximum and sum of exponentials, online.

    The lane reads every `width`-th of the `extra` elements that are in no vector and of the vectors up to `bodies`, from `first` on. The
    sum is of exp(x - maximum), rescaled once for each block of vectors, whether the maximum grew or not: without a branch.
    """
    load, load_block, exponential = machine.load, machine.load_block, machine.exponential
    larger, added = element_steps(machine)
    count = vectors * floating.per_vector
    block_maximum, block_total = machine.unrolled(larger, count), machine.unrolled(added, count)
    lowest, zero, size, vector = floating.lowest, floating.real(0), floating.size, machine.vector

    @machine.jit
    def row_statistics(address: Any, head: Any, body: Any, extra: Any, first: Any, last: Any, lane: Any, width: Any) -> Any:
        maximum, total = lowest, zero
        for element in range(lane, extra, width):
            x = load(address + (element if element < head else element + body) * size)
            top = larger(maximum, x, zero)
            total = added(total * exponential(maximum - top), x, top)
            maximum = top
        end = address + head * size + last * vector
        start = address + head * size + (first + lane) * vector
        step = width * vector
        while start < end:
            numbers = load_block(start, step, end - start)
            top = block_maximum(numbers, maximum, zero)
            total = block_total(numbers, total * exponential(maximum - top), top)
            maximum = top
            start += step * vectors
        return maximum, total

    return row_statistics


def group_statistics(machine: SimpleNamespace, floating: Format) -> Any:
    """group_statistics(maximum, total, scratch, width): those of `width` neighbouring threads, for each of them.

    Within a warp by exchanges; the warps of a group then leave theirs in shared memory, where each thread goes through them in order.
    """
    warp, exchanged, maximum_of, exponential = machine.warp, machine.exchanged, machine.maximum, machine.exponential
    thread, barrier, zero, warp_shift = machine.thread, machine.barrier, floating.real(0), machine.warp.bit_length() - 1

    @machine.jit
    def group_statistics(maximum: Any, total: Any, scratch: Any, width: Any) -> Any:
        distance = min(width, warp) >> 1
        top = maximum
        while distance > 0:
            top = maximum_of(top, exchanged(top, distance))
            distance >>= 1
        total = total * exponential(maximum - top)
        distance = min(width, warp) >> 1
        while distance > 0:
            total = total + exchanged(total, distance)
            distance >>= 1
        if width > warp:
            me = thread()
            mine = me >> warp_shift
            first = (me & -width) >> warp_shift
            last = first + (width >> warp_shift)
            half = scratch.shape[0] // 2
            barrier()
            scratch[mine] = top
            scratch[half + mine] = total
            barrier()
            for other in range(first, last):
                top = maximum_of(top, scratch[other])
            total = zero
            for other in range(first, last):
                total = total + scratch[half + other] * exponential(scratch[other] - top)
        return top, total

    return group_statistics
