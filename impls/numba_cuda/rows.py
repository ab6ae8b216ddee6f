"""Cross entropy of class indices without smoothing, for rows whose classes lie side by side: the kernel that the speed is about.

A group of neighbouring threads reads a row: a warp or less where rows are short, so that a block has several, a block where they are long.
Groups go on to the next row until there is none, so that what a block needs first, it needs once.

Few very long rows are cut into pieces, one group each: a first launch ("pieces") leaves their statistics in memory, a second one
("finish") combines them in order. Where all of a launch's blocks run at once, one launch does ("shared"): blocks wait for each other's
statistics. That also serves the gradient of rows so long that a cache cannot hold one for each block until it is read again.
"""

# ruff: noqa: C901, D402, PLR0912, PLR0915, PLR0917 - a kernel is one function, its arguments are passed by position; factories describe
# what they make by its signature

# mypy: disable-error-code="untyped-decorator, attr-defined, misc"

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from xentfuzz.impls.numba_cuda import parts
from xentfuzz.impls.numba_cuda.formats import Format


def split_of(machine: SimpleNamespace, floating: Format) -> Any:
    """split(address, other, classes): how many elements come before the first whole vector of a row, and how many whole vectors follow.

    Where `other`, the row that is written, is aligned differently, no vector can be both read and written whole: there is none then.
    """
    vector, size_shift, vector_shift = machine.vector, floating.size.bit_length() - 1, floating.per_vector.bit_length() - 1

    @machine.jit
    def split(address: Any, other: Any, classes: Any) -> Any:
        if (address ^ other) & (vector - 1) != 0:
            return classes, np.int64(0)
        head = min((-address & (vector - 1)) >> size_shift, classes)
        return head, (classes - head) >> vector_shift

    return split


def row_gradient(machine: SimpleNamespace, floating: Format, vectors: int) -> Any:
    """row_gradient(...): write exp(x - maximum) * scale to a lane's part of a row, and `at_target` to the class y where that is in it."""
    load, store, exponential = machine.load, machine.store, machine.exponential
    load_block, store_block = machine.load_block, machine.store_block
    size, vector, per_vector = floating.size, machine.vector, floating.per_vector
    vector_shift = per_vector.bit_length() - 1

    @machine.jit
    def share(x: Any, maximum: Any, scale: Any) -> Any:
        return exponential(x - maximum) * scale

    shares = machine.mapped(share, vectors * per_vector)

    @machine.jit
    def row_gradient(
        address: Any, out: Any, head: Any, extra: Any, first: Any, last: Any, body: Any, lane: Any, width: Any, maximum: Any, scale: Any,
        y: Any, at_target: Any,
    ) -> None:  # fmt: skip
        for element in range(lane, extra, width):
            c = element if element < head else element + body
            store(out + c * size, at_target if c == y else share(load(address + c * size), maximum, scale))
        offset = head * size + (first + lane) * vector
        end = head * size + last * vector
        step = width * vector
        while offset < end:
            numbers = shares(load_block(address + offset, step, end - offset), maximum, scale)
            store_block(out + offset, step, end - offset, numbers)
            offset += step * vectors
        # The thread that wrote the target's vector writes the target: its own writes keep their order.
        place = (y - head) >> vector_shift
        if head <= y < head + body and first <= place < last and (place - first) & (width - 1) == lane:
            store(out + y * size, at_target)

    return row_gradient


def filled_row(machine: SimpleNamespace, floating: Format) -> Any:
    """fill_row(...): write `value` to every class of a lane's part of a row."""
    store, size, per_vector = machine.store, floating.size, floating.per_vector

    @machine.jit
    def fill_row(out: Any, head: Any, extra: Any, first: Any, last: Any, body: Any, lane: Any, width: Any, value: Any) -> None:
        for element in range(lane, extra, width):
            store(out + (element if element < head else element + body) * size, value)
        for element in range(first * per_vector + lane, last * per_vector, width):
            store(out + (head + element) * size, value)

    return fill_row


def combined_pieces(machine: SimpleNamespace, floating: Format) -> Any:
    """combined_pieces(statistics, count, lane, width): a lane's share of the statistics of a row's pieces, those of `count` of them."""
    load_real, exponential, maximum_of = machine.load_real, machine.exponential, machine.maximum
    lowest, zero, real_size = floating.lowest, floating.real(0), np.dtype(floating.real).itemsize

    @machine.jit
    def combined_pieces(statistics: Any, count: Any, lane: Any, width: Any) -> Any:
        maximum, total = lowest, zero
        for piece in range(lane, count, width):
            theirs = load_real(statistics + piece * 2 * real_size)
            top = maximum_of(maximum, theirs)
            more = load_real(statistics + (piece * 2 + 1) * real_size)
            total = total * exponential(maximum - top) + more * exponential(theirs - top)
            maximum = top
        return maximum, total

    return combined_pieces


def exchanged_pieces(machine: SimpleNamespace, floating: Format) -> Any:
    """exchanged_pieces(...): leave a piece's statistics for the other blocks of its row, and a lane's share of all of them.

    Both numbers travel in one word of 64 bits, which is its own sign that it is there: a maximum is never NaN, as all ones would be.
    """
    joined, first_of, second_of, publish, poll = machine.joined, machine.first_of, machine.second_of, machine.publish, machine.poll
    exponential, maximum_of = machine.exponential, machine.maximum
    lowest, zero = floating.lowest, floating.real(0)

    @machine.jit
    def exchanged_pieces(words: Any, piece: Any, count: Any, lane: Any, width: Any, maximum: Any, total: Any) -> Any:
        if lane == 0:
            publish(words + piece * 8, joined(maximum, total))
        top, sum_ = lowest, zero
        for other in range(lane, count, width):
            word = poll(words + other * 8)
            while word == -1:
                word = poll(words + other * 8)
            theirs = first_of(word)
            larger = maximum_of(top, theirs)
            sum_ = sum_ * exponential(top - larger) + second_of(word) * exponential(theirs - larger)
            top = larger
        return top, sum_

    return exchanged_pieces


def rows_kernel(machine: SimpleNamespace, floating: Format, threads: int, vectors: int, *, phase: str, gradient: bool) -> Any:
    """The kernel for a phase ("whole", "pieces", "finish", "shared"), with or without a gradient.

    logits, out, target, losses, upstream: (address, stride of a row), the target with the kind of its integers, an address of 0 where
    there is none, a stride of 0 where it is the same for all. weight: (address, stride of a class). sizes: rows, classes, ignore_index.
    layout: the width of a group as a power of 2, pieces of a row in the launch before, vectors of a piece in this one, whose piece is the
    block's second index. memory: statistics of the pieces; records that make up the denominator, their number, whether of weights;
    where to leave records of the losses; the flag of a class out of range.
    """
    thread, block, blocks, piece_of = machine.thread, machine.block, machine.blocks, machine.block_y
    pieces_of = machine.blocks_y
    cuda, scratch_size, element = machine.cuda, machine.scratch_size, machine.element
    load, store, store_real, logarithm, store_int64 = (
        machine.load,
        machine.store,
        machine.store_real,
        machine.logarithm,
        machine.store_int64,
    )
    exponential = machine.exponential
    class_index, split = parts.class_index(machine), split_of(machine, floating)
    row_statistics, group_statistics = parts.row_statistics(machine, floating, vectors), parts.group_statistics(machine, floating)
    combined = combined_pieces(machine, floating)
    sharing = phase == "shared"
    exchange = exchanged_pieces(machine, floating) if sharing else None
    gradient_of, fill_row = row_gradient(machine, floating, vectors), filled_row(machine, floating)
    denominator, leave_record = parts.denominator(machine, floating), parts.leave_record(machine, floating, threads)
    real, size, vector_shift = floating.real, floating.size, floating.per_vector.bit_length() - 1
    zero, one, nan, lowest, shrunk = real(0), real(1), floating.nan, floating.lowest, real(parts.SHRUNK)
    real_size = np.dtype(real).itemsize
    pieces_only, finishing = phase == "pieces", phase == "finish"

    def kernel(
        logits: Any, out: Any, target: Any, weight: Any, losses: Any, upstream: Any, sizes: Any, layout: Any, memory: Any
    ) -> None:  # fmt: skip
        rows, classes, ignore_index = sizes
        width_shift, pieces_before, per_piece = layout
        statistics, denominators, denominator_count, weighted, records, flag = memory
        scratch = cuda.shared.array(scratch_size, element)
        me, piece = thread(), piece_of()
        width, groups = np.int64(1) << width_shift, np.int64(threads) >> width_shift
        lane = me & (width - 1)
        divisor = denominator(denominators, denominator_count, weighted)
        total, weights, kept_rows = zero, zero, np.int64(0)
        first_row = block() * groups
        while first_row < rows:
            row = first_row + (me >> width_shift)
            first_row += blocks() * groups
            writes = row < rows
            row = min(row, rows - 1)  # every thread goes along, for the sake of barriers and exchanges
            address, result = logits[0] + row * logits[1], out[0] + row * out[1]
            y = class_index(target[0] + row * target[1], target[2], ignore_index)
            kept = y != ignore_index
            inside = 0 <= y < classes
            head, bodies = split(address, result if gradient else address, classes)
            body = bodies << vector_shift
            extra = classes - body if piece == 0 else np.int64(0)
            first, last = min(piece * per_piece, bodies), min((piece + 1) * per_piece, bodies)
            maximum, sum_ = lowest, zero
            if kept and inside:
                if finishing:
                    maximum, sum_ = combined(statistics + row * pieces_before * 2 * real_size, pieces_before, lane, width)
                else:
                    maximum, sum_ = row_statistics(address, head, body, extra, first, last, lane, width)
            maximum, sum_ = group_statistics(maximum, sum_, scratch, width)
            if sharing:
                words = statistics + row * pieces_of() * 8
                maximum, sum_ = exchange(words, piece, pieces_of(), lane, width, maximum, sum_)
                maximum, sum_ = group_statistics(maximum, sum_, scratch, width)
            if pieces_only:
                if writes and lane == 0:
                    place = statistics + (row * pieces_of() + piece) * 2 * real_size
                    store_real(place, maximum)
                    store_real(place + real_size, sum_)
            else:
                if sum_ == zero:
                    sum_ = nan  # no class at all has a share: every logit is -inf
                class_weight = one
                if weight[0] != 0 and kept and inside:
                    class_weight = load(weight[0] + y * weight[1])
                if writes and lane == 0 and piece == 0 and kept:
                    loss = nan
                    if inside:
                        loss = class_weight * ((maximum - load(address + y * size)) + logarithm(sum_))
                    else:
                        store_int64(flag, np.int64(1))
                    total += loss if weight[0] != 0 else loss * shrunk
                    weights += class_weight
                    kept_rows += 1
                    if losses[0] != 0:
                        store(losses[0] + row * losses[1], loss)
                if writes and lane == 0 and piece == 0 and not kept and losses[0] != 0:
                    store(losses[0] + row * losses[1], zero)
                if gradient and writes and not kept:
                    fill_row(result, head, extra, first, last, body, lane, width, zero)
                if gradient and writes and kept:
                    r = class_weight / divisor
                    if upstream[0] != 0:
                        r = load(upstream[0] + row * upstream[1]) * r
                    at_target, scale = nan, nan
                    if inside:
                        at_target = r * (exponential(load(address + y * size) - maximum) / sum_ - one)
                        scale = r / sum_
                    gradient_of(address, result, head, extra, first, last, body, lane, width, maximum, scale, y, at_target)
        if records != 0 and piece == 0:
            leave_record(records, total, weights, kept_rows, scratch)

    return kernel
