"""Cross entropy of class indices without smoothing for long rows that are held in registers until their gradient is written.

A thread block loads its part of a row once, and never again: what moves is one read and one write. The blocks of a row run at once and
wait for each other's maxima and sums; so do, where blocks wait at all, the sums of the losses, which the first block reduces.
"""

# ruff: noqa: C901, PLR0912, PLR0915, PLR0917 - a kernel is one function, its arguments are passed by position; factories describe
# what they make by its signature

# mypy: disable-error-code="untyped-decorator, attr-defined, misc"

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from xentfuzz.impls.numba_cuda import parts
from xentfuzz.impls.numba_cuda.formats import Format
from xentfuzz.impls.numba_cuda.rows import exchanged_pieces, split_of


def _waited_sum(machine: SimpleNamespace, floating: Format, threads: int) -> Any:
    """waited_sum(words, count, scratch): the sums of both numbers in `count` words, once all of them are there."""
    poll, first_of, second_of, thread = machine.poll, machine.first_of, machine.second_of, machine.thread
    total_of, zero = parts.block_sum(machine, threads), floating.real(0)

    @machine.jit
    def waited_sum(words: Any, count: Any, scratch: Any) -> Any:
        first, second = zero, zero
        for other in range(thread(), count, threads):
            word = poll(words + other * 8)
            while word == -1:
                word = poll(words + other * 8)
            first += first_of(word)
            second += second_of(word)
        first = total_of(first, scratch, 1)
        second = total_of(second, scratch, 1)
        return first, second

    return waited_sum


def _own_count(machine: SimpleNamespace, floating: Format, threads: int) -> Any:
    """own_count(target, weight, sizes, scratch): the weights of the kept rows, fewer than 2^24, added up by this block for itself."""
    load, thread, class_index = machine.load, machine.thread, parts.class_index(machine)
    total_of, zero, one = parts.block_sum(machine, threads), floating.real(0), floating.real(1)

    @machine.jit
    def own_count(target: Any, weight: Any, sizes: Any, scratch: Any) -> Any:
        weights = zero
        for row in range(thread(), sizes[0], threads):
            y = class_index(target[0] + row * target[1], target[2], sizes[2])
            if y != sizes[2] and 0 <= y < sizes[1]:
                weights += load(weight[0] + y * weight[1]) if weight[0] != 0 else one
        return total_of(weights, scratch, 1)

    return own_count


def held_kernel(machine: SimpleNamespace, floating: Format, threads: int, *, gradient: bool) -> Any:
    """The kernel, with or without a gradient; a block's first index is its first row, its second its part of it.

    Arguments as of `rows.rows_kernel`, except: per_piece: vectors of a part, at most the machine's vectors for each thread. memory: a
    word for each part of each row, all ones; then as there, where records of the denominator at 0 ask each block to count for itself.
    ending: a word, all ones, for each block of first parts; where the reduced loss goes; whether it is a mean: zeros where records are
    left instead.
    """
    thread, block, blocks, piece_of, pieces_of = machine.thread, machine.block, machine.blocks, machine.block_y, machine.blocks_y
    cuda, scratch_size, element, barrier = machine.cuda, machine.scratch_size, machine.element, machine.barrier
    load, store, logarithm, store_int64, exponential = (
        machine.load, machine.store, machine.logarithm, machine.store_int64, machine.exponential,
    )  # fmt: skip
    maximum_of, publish, joined = machine.maximum, machine.publish, machine.joined
    load_held, held_maximum, held_total, store_held = machine.load_held, machine.held_maximum, machine.held_total, machine.store_held
    class_index, split = parts.class_index(machine), split_of(machine, floating)
    group_statistics, exchange = parts.group_statistics(machine, floating), exchanged_pieces(machine, floating)
    denominator, leave_record = parts.denominator(machine, floating), parts.leave_record(machine, floating, threads)
    waited_sum, own_count = _waited_sum(machine, floating, threads), _own_count(machine, floating, threads)
    real, size, vector = floating.real, floating.size, machine.vector
    vector_shift = floating.per_vector.bit_length() - 1
    zero, one, nan, lowest = real(0), real(1), floating.nan, floating.lowest
    shrunk, grown = real(parts.SHRUNK), real(1 / parts.SHRUNK)
    # The first thread's sums lie behind what reductions use: in registers they would be every thread's.
    losses_at, weights_at, kept_at, room = scratch_size + 2, scratch_size + 3, scratch_size + 4, scratch_size + 5
    width, step = np.int64(threads), np.int64(threads * machine.vector)

    def kernel(
        logits: Any, out: Any, target: Any, weight: Any, losses: Any, upstream: Any, sizes: Any, per_piece: Any, memory: Any, ending: Any
    ) -> None:  # fmt: skip
        rows, classes, ignore_index = sizes
        words, denominators, denominator_count, weighted, records, flag = memory
        scratch = cuda.shared.array(room, element)
        lane, piece, pieces = thread(), piece_of(), pieces_of()
        divisor = one
        if gradient:
            if denominators == 0 and denominator_count > 0:
                divisor = own_count(target, weight, sizes, scratch)
            else:
                divisor = denominator(denominators, denominator_count, weighted)
        if lane == 0:
            scratch[losses_at], scratch[weights_at], scratch[kept_at] = zero, zero, zero
        row = block()
        upcoming = class_index(target[0] + row * target[1], target[2], ignore_index)
        while row < rows:
            y = upcoming
            address, result = logits[0] + row * logits[1], out[0] + row * out[1]
            place = words + row * pieces * 8
            this_row = row
            row += blocks()
            # Asked for a row ahead, it is there when it is needed.
            upcoming = class_index(target[0] + min(row, rows - 1) * target[1], target[2], ignore_index)
            kept = y != ignore_index
            inside = 0 <= y < classes
            counted = kept and inside
            head, bodies = split(address, result if gradient else address, classes)
            body = bodies << vector_shift
            extra = classes - body if piece == 0 else np.int64(0)
            first, last = min(piece * per_piece, bodies), min((piece + 1) * per_piece, bodies)
            offset = head * size + (first + lane) * vector
            remaining = (last - first - lane) * vector
            numbers = load_held(address + offset, step, remaining if counted else np.int64(0))
            at_y = load(address + y * size) if counted else zero
            maximum = maximum_of(lowest, held_maximum(numbers))
            total = held_total(numbers, maximum)
            for extra_element in range(lane, extra if counted else np.int64(0), threads):
                x = load(address + (extra_element if extra_element < head else extra_element + body) * size)
                top = maximum_of(maximum, x)
                total = total * exponential(maximum - top) + exponential(x - top)
                maximum = top
            maximum, total = group_statistics(maximum, total, scratch, width)
            if pieces > 1:
                if gradient or piece == 0:
                    maximum, total = exchange(place, piece, pieces, lane, width, maximum, total)
                    maximum, total = group_statistics(maximum, total, scratch, width)
                elif lane == 0:
                    publish(place + piece * 8, joined(maximum, total))
            if total == zero:
                total = nan  # no class at all has a share: every logit is -inf
            class_weight = one
            if weight[0] != 0 and counted:
                class_weight = load(weight[0] + y * weight[1])
            if lane == 0 and piece == 0:
                loss = zero
                if kept:
                    loss = nan
                    if inside:
                        loss = class_weight * ((maximum - at_y) + logarithm(total))
                    else:
                        store_int64(flag, np.int64(1))
                    scratch[losses_at] += loss if weight[0] != 0 else loss * shrunk
                    scratch[weights_at] += class_weight
                    scratch[kept_at] += one
                if losses[0] != 0:
                    store(losses[0] + this_row * losses[1], loss)
            if gradient:
                at_target, scale = zero, zero
                if kept:
                    r = class_weight / divisor
                    if upstream[0] != 0:
                        r = load(upstream[0] + this_row * upstream[1]) * r
                    at_target = r * (exponential(at_y - maximum) / total - one) if inside else nan
                    scale = r / total if inside else nan
                for extra_element in range(lane, extra, threads):
                    c = extra_element if extra_element < head else extra_element + body
                    value = scale
                    if counted:
                        value = at_target if c == y else exponential(load(address + c * size) - maximum) * scale
                    store(result + c * size, value)
                # A row that is not counted was not loaded: exp(-inf) would make NaN of a factor that is none, and 0 of one that is.
                store_held(result + offset, step, remaining, numbers, maximum, scale)
                among = (y - head) >> vector_shift
                if counted and head <= y < head + body and first <= among < last and (among - first) & (width - 1) == lane:
                    store(result + y * size, at_target)
        # The compiler lets every thread read what the first one has summed, and drops it again: harmless, but a race.
        barrier()
        sum_of_losses, weights, kept_rows = zero, zero, np.int64(0)
        if lane == 0:
            sum_of_losses, weights, kept_rows = scratch[losses_at], scratch[weights_at], np.int64(scratch[kept_at])
        if ending[0] != 0:
            if piece == 0:
                if lane == 0:
                    publish(ending[0] + block() * 8, joined(sum_of_losses, weights))
                if block() == 0:
                    sum_of_losses, weights = waited_sum(ending[0], blocks(), scratch)
                    if lane == 0:
                        reduced = sum_of_losses / weights if ending[2] else sum_of_losses
                        store(ending[1], reduced if weight[0] != 0 else reduced * grown)
        elif records != 0 and piece == 0:
            leave_record(records, sum_of_losses, weights, kept_rows, scratch)

    return kernel
