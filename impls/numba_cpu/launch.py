"""How kernels are started: threads, and what each kernel is given."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from xentfuzz.impls.numba_cpu.layout import (
    MOST_CLASSES_IN_PLACE,
    MOST_CLASSES_TRANSPOSED,
    NOWHERE,
    STREAMING_BYTES,
    Array,
    Extent,
    Rows,
    extent_of,
    extent_side_by_side,
    new_room,
    record_of,
    room_side_by_side,
    rows_of,
)

# Fewer logits than these are not worth waking another thread for.
LOGITS_PER_THREAD = 32768

# Storage of 16-bit floats: their bits, as integers that tell the two formats apart.
STORAGE = {"float16": np.dtype(np.uint16), "bfloat16": np.dtype(np.int16), "float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}


@functools.cache
def storage_of(dtype: np.dtype[Any]) -> Any:
    return STORAGE[dtype.name]


@functools.cache
def arithmetic_of(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


class LossProblem(NamedTuple):
    """probabilities, gradient: Rows of address 0 where there are none. targets: address of int64 class indices, 0 beside probabilities.

    weights: address of the weights in the arithmetic format, 0 for none. hard = 1-a, uniform = a/C: q_c = w_c (hard t_c + uniform).
    scales: address of the derivatives of the result by each row's loss, one for all where scale_step is 0. losses: address of the row
    losses, 0 where only `sums`, one for each block, are wanted. ticket: address of a zero.
    """

    extent: Extent
    logits: Rows
    probabilities: Rows
    gradient: Rows
    targets: int
    ignore_index: int
    weights: int
    hard: float
    uniform: float
    scales: int
    scale_step: int
    losses: int
    sums: int
    ticket: int


class SoftmaxProblem(NamedTuple):
    """upstream: Rows of address 0 for the forward. ticket: address of a zero."""

    extent: Extent
    logits: Rows
    upstream: Rows
    out: Rows
    logarithm: bool
    ticket: int


@functools.cache
def threads() -> tuple[int, ThreadPoolExecutor]:
    """How many threads there may be and the pool of those beside the caller's.

    Threads of our own, rather than Numba's: GNU OpenMP kills a forked child, Numba's own pool aborts when two threads call at once, and
    kernels that are not compiled for either compile several times faster.
    """
    import numba  # noqa: PLC0415 - importing Numba takes half a second

    count = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]  # set at run time
    return count, ThreadPoolExecutor(max(count - 1, 1), thread_name_prefix="numba-cpu")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=threads.cache_clear)  # a child has none of its parent's threads


class Plan(NamedTuple):
    """The extent of a problem; its arrays as Rows; whether tiles of each are copied; and what the Rows point into."""

    extent: Extent
    rows: list[Rows]
    copies: list[bool]
    offsets: Array

    @property
    def blocks(self) -> int:
        return self.extent.runs * -(-self.extent.per_run // self.extent.block)


def plan(arrays: list[Array | None], class_axis: int, *, lanes: bool = False) -> Plan:
    """For arrays of the same shape, or None for those that a call does without. The first one is that of the logits, the last
    one is written.

    lanes: whether the kernel can take rows side by side.
    """
    present = [array for array in arrays if array is not None]
    found, offsets, runs, per_run = rows_of(present, class_axis)
    left = iter(found)
    rows = [NOWHERE if array is None else next(left) for array in arrays]
    copies = [array is not None and each.class_step != array.itemsize for each, array in zip(rows, arrays, strict=True)]
    classes, itemsize = present[0].shape[class_axis], arithmetic_of(present[0].dtype).itemsize
    most = MOST_CLASSES_IN_PLACE if rows[0].step == present[0].itemsize else MOST_CLASSES_TRANSPOSED
    if lanes and classes <= most:
        return Plan(extent_side_by_side(runs, per_run, classes), rows, copies, offsets)
    out = arrays[-1]
    streaming = out is not None and out.nbytes >= STREAMING_BYTES and not copies[-1]
    extent = extent_of(runs, per_run, classes, itemsize, apart=any(copies))
    return Plan(extent._replace(streaming=streaming), rows, copies, offsets)


def launch(kernel: Callable[..., None], problem: Any, dtype: np.dtype[Any], planned: Plan, *, keep: bool) -> None:
    """Run a kernel on several threads where that pays; each takes blocks of rows as long as there are any.

    keep: whether exponentials are used again.
    """
    extent, storage, arithmetic = planned.extent, storage_of(dtype), arithmetic_of(dtype)
    shares = -(-planned.blocks // extent.share)
    count = min(shares, 1 + extent.runs * extent.per_run * extent.classes // LOGITS_PER_THREAD)
    if count > 1:
        count = min(count, threads()[0])
    record = record_of(problem)

    def run() -> None:
        if extent.side_by_side:
            room, memory = room_side_by_side(extent, arithmetic.itemsize)
        else:
            room, memory = new_room(extent, arithmetic.itemsize, keep=keep, copies=planned.copies)
        kernel(storage, arithmetic, record, record_of(room))
        del memory  # which the kernel knows by its address only

    if count:
        others = [threads()[1].submit(run) for _ in range(1, count)]
        run()
        for other in others:
            other.result()
