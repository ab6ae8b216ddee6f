"""The memory bandwidth of this machine, as one process of NumPy reaches it with the threads that it is given."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from xentfuzz.environment import available_cores

# Well beyond a last-level cache, and still quick to fill.
BUFFER_BYTES = 256 << 20
ROUNDS = 7


@dataclass(frozen=True)
class Bandwidth:
    """Bytes per second, median of some rounds over a buffer that no cache holds. copy counts the bytes read and the bytes written."""

    read: float
    copy: float
    threads: int


def measure_bandwidth(size: int = BUFFER_BYTES, rounds: int = ROUNDS) -> Bandwidth:
    """A plain read (the maximum of integers, which vectorises) and a plain copy, on every core that this process may use."""
    threads = available_cores()
    source = np.ones(size // 8, np.int64)
    # Written once, so that the copy does not pay for the first touch of its pages.
    target = np.zeros_like(source)
    parts = list(zip(np.array_split(source, threads), np.array_split(target, threads), strict=True))
    with ThreadPoolExecutor(threads) as pool:
        read = _seconds(lambda: list(pool.map(lambda part: part[0].max(), parts)), rounds)
        copy = _seconds(lambda: list(pool.map(lambda part: np.copyto(part[1], part[0]), parts)), rounds)
    return Bandwidth(source.nbytes / read, 2 * source.nbytes / copy, threads)


def _seconds(work: Callable[[], object], rounds: int) -> float:
    work()
    durations = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        durations.append(time.perf_counter() - began)
    return statistics.median(durations)
