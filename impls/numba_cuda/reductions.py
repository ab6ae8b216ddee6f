"""Small kernels around the losses: what a mean divides by, and the reduction of the blocks' records."""

# ruff: noqa: PLR0917 - a kernel is one function, and its arguments are passed by position

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from xentfuzz.impls.numba_cuda import parts
from xentfuzz.impls.numba_cuda.formats import Format


def denominator_kernel(machine: SimpleNamespace, floating: Format, threads: int) -> Any:
    """Each block leaves a record of the weights and the number of its kept rows; a class out of range sets the flag."""
    thread, block, blocks = machine.thread, machine.block, machine.blocks
    cuda, scratch_size, element = machine.cuda, machine.scratch_size, machine.element
    load, store_int64 = machine.load, machine.store_int64
    place, class_index = parts.places(machine), parts.class_index(machine)
    leave_record = parts.leave_record(machine, floating, threads)
    zero, one = floating.real(0), floating.real(1)

    def kernel(target: Any, weight: Any, shape: Any, sizes: Any, records: Any, flag: Any) -> None:
        rows, classes, ignore_index = sizes
        scratch = cuda.shared.array(scratch_size, element)
        weights, kept = zero, np.int64(0)
        for row in range(block() * threads + thread(), rows, blocks() * threads):
            y = class_index(place(row, target, shape), target[4], ignore_index)
            if y != ignore_index:
                kept += 1
                if 0 <= y < classes:
                    weights += load(weight[0] + y * weight[1]) if weight[0] != 0 else one
                else:
                    store_int64(flag, np.int64(1))
        leave_record(records, zero, weights, kept, scratch)

    return kernel


def total_kernel(machine: SimpleNamespace, floating: Format, threads: int) -> Any:
    """One block: the sum of the blocks' losses, divided by `rows`, where that is given, or by what the records say, for a mean."""
    thread, load_real, load_int64, store = machine.thread, machine.load_real, machine.load_int64, machine.store
    cuda, scratch_size, element = machine.cuda, machine.scratch_size, machine.element
    total_of, real = parts.block_sum(machine, threads), floating.real
    # Counts in two parts, each of them exact in float32 when summed.
    low_bits, record_size = 1 << 10, parts.RECORD
    zero, grown = real(0), real(1 / parts.SHRUNK)

    def kernel(records: Any, out: Any, sizes: Any) -> None:
        # sizes: how many records; whether it is a mean, whether weighted; rows to divide by, or -1; whether the losses are shrunk.
        count, mean, weighted, rows, is_shrunk = sizes
        scratch = cuda.shared.array(scratch_size, element)
        total, weights, low, high = zero, zero, zero, zero
        for record in range(thread(), count, threads):
            total += load_real(records + record * record_size)
            weights += load_real(records + record * record_size + 8)
            kept = load_int64(records + record * record_size + 16)
            low += real(kept % low_bits)
            high += real(kept // low_bits)
        total = total_of(total, scratch, 1)
        weights = total_of(weights, scratch, 1)
        low = total_of(low, scratch, 1)
        high = total_of(high, scratch, 1)
        if thread() == 0:
            if mean:
                divisor = weights if weighted else low + high * real(low_bits)
                total = total / (real(rows) if rows >= 0 else divisor)
            store(out, total * grown if is_shrunk else total)

    return kernel
