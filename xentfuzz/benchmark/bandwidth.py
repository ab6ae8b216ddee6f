"""How fast this machine reads and copies a buffer of a given size, as one process of NumPy reaches it with the threads that it is given."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

# Well beyond a last-level cache, and still quick to fill.
BUFFER_BYTES = 128 << 20
ROUNDS = 9
# A round over a small buffer goes over it so often that it moves this much: far longer than handing the work to threads takes.
ROUND_BYTES = 32 << 20

# Over a smaller one, calls would take longer than the reading; it is in the same cache.
SMALLEST_BYTES = 256 << 10


Buffer = np.ndarray[Any, np.dtype[np.int32]]
Part = tuple[Buffer, Buffer]


@dataclass(frozen=True)
class Bandwidth:
    """Bytes per second, in the fastest of some rounds. copy counts the bytes read and the bytes written."""

    read: float
    copy: float
    threads: int


def measure_bandwidth(threads: int, size: int = BUFFER_BYTES) -> Bandwidth:
    """A plain read (the maximum of 32-bit integers, which vectorises everywhere) and a plain copy of `size` bytes, again and again, so that
    a buffer that fits a cache is in it.
    """
    source = np.ones(max(size, SMALLEST_BYTES) // 4, np.int32)
    # Written once, so that the copy does not pay for the first touch of its pages.
    target = np.zeros_like(source)
    repeats = range(max(1, ROUND_BYTES // source.nbytes))
    parts = list(zip(np.array_split(source, threads), np.array_split(target, threads), strict=True))

    def read(part: Part) -> None:
        for _ in repeats:
            part[0].max()

    def copy(part: Part) -> None:
        for _ in repeats:
            np.copyto(part[1], part[0])

    with ThreadPoolExecutor(threads) as pool:
        moved = source.nbytes * len(repeats)
        reading = fastest_seconds(lambda: list(pool.map(read, parts)))
        copying = fastest_seconds(lambda: list(pool.map(copy, parts)))
    return Bandwidth(moved / reading, 2 * moved / copying, threads)


def fastest_seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Of some rounds, after one that is not counted: what a machine can do is what it does undisturbed."""
    work()
    durations = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        durations.append(time.perf_counter() - began)
    return min(durations)
