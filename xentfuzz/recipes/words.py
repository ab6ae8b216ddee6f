"""Random integers that are the same on every machine and in every NumPy version.

A raw word of a Philox generator (NumPy guarantees its stream) starts each row; splitmix64 (Steele, Lea and Flood, OOPSLA 2014) walks from
there along the classes. A number therefore depends on (seed, stream, row, class) alone: a shape that shrinks keeps the numbers that remain.
Everything is integer arithmetic up to one multiplication by a power of two, so that no library's `exp` or `log` has a say in it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_GOLDEN = 0x9E3779B97F4A7C15
_LANE = 0xD1342543DE82EF95


@cache
def _stream_key(stream: str) -> int:
    return int.from_bytes(hashlib.sha256(stream.encode()).digest()[:8], "little")


def _mix(words: Array) -> Array:
    """The finaliser of splitmix64, in place."""
    words ^= words >> np.uint64(30)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def raw_words(seed: int, stream: str, count: int) -> Array:
    """`count` raw words (uint64) of the stream's own generator; the first ones do not depend on `count`."""
    generator = np.random.Philox(key=(_stream_key(stream) << 64) | (seed & 0xFFFF_FFFF_FFFF_FFFF))
    words: Array = generator.random_raw(count)
    return words


@dataclass(frozen=True)
class Words:
    """The source of one array: uint64 words for (row, class), in as many independent lanes as a regime needs."""

    seed: int
    stream: str

    def rows(self, count: int, lane: int = 0) -> Array:
        """(count,) words, one for each row."""
        words = raw_words(self.seed, self.stream, count)
        words += np.uint64(_LANE * (lane + 1) & 0xFFFF_FFFF_FFFF_FFFF)
        return _mix(words)

    def cells(self, rows: int, classes: int, lane: int = 0) -> Array:
        """(rows, classes) words."""
        steps = np.arange(1, classes + 1, dtype=np.uint64)
        steps *= np.uint64(_GOLDEN)
        return _mix(self.rows(rows, lane)[:, None] + steps)


def below(words: Array, count: int) -> Array:
    """Integers in [0, count) as int64; count is at most 2**31."""
    numbers: Array = (((words >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)).astype(np.int64)
    return numbers


def uniform(words: Array) -> Array:
    """float64 in [0, 1), multiples of 2**-53."""
    numbers: Array = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return numbers


def signed(words: Array) -> Array:
    """float64 in [-1, 1), multiples of 2**-52."""
    numbers: Array = uniform(words) * 2.0 - 1.0
    return numbers


def normal(words: Array) -> Array:
    """float64, bell-shaped about 0 with standard deviation 1.15 within (-4, 4): a sum of four uniforms, with 49 bits after the point.

    The sum of the words' four 16-bit quarters gives the bell; the low bits, which the sum lacks, come from the word mixed once more.
    """
    mask = np.uint64(0xFFFF)
    quarters = (words & mask) + ((words >> np.uint64(16)) & mask) + ((words >> np.uint64(32)) & mask) + (words >> np.uint64(48))
    low = _mix(words + np.uint64(_LANE)) >> np.uint64(30)
    centred = (quarters << np.uint64(34)).astype(np.int64) + low.astype(np.int64) - np.int64(131070 << 34)
    numbers: Array = centred.astype(np.float64) * 2.0**-49
    return numbers
