"""Which calls may compile: a just-in-time compiler works once for each kind of argument, and its time is no call's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xentfuzz.arrays import StridedArray
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.outcome import Call

# A first call may take so many times as long as the slowest one so far before it counts as hanging.
SLOWER_THAN_ANY = 10


def specialisation(call: Call) -> tuple[Any, ...]:
    """What compilers specialise on: the function, every array's dtype, rank and kind of layout, and which options are there."""
    arrays = tuple((name, array.dtype, len(array.shape), _layout(array)) for name, array in call.arrays.items())
    return call.function, arrays, tuple(sorted((name, type(value)) for name, value in call.options.items()))


def _layout(array: StridedArray) -> tuple[bool, ...]:
    if 0 in array.shape:
        return ()
    flags = array.view().flags
    return flags.c_contiguous, flags.f_contiguous, flags.aligned, array.writeable


@dataclass
class Specialisations:
    """seen: those that the living worker has compiled; slowest: the longest first call so far, in seconds, None before any."""

    seen: set[tuple[Any, ...]] = field(default_factory=set)
    slowest: float | None = None

    def is_new(self, key: tuple[Any, ...]) -> bool:
        return key not in self.seen

    def note(self, key: tuple[Any, ...], seconds: float) -> None:
        if self.is_new(key):
            self.seen.add(key)
            self.slowest = max(seconds, self.slowest or 0.0)

    def time_limit(self, key: tuple[Any, ...], limits: Limits) -> float:
        """Once first calls are known to be fast, one that hangs is not waited for as long as a compiler would be."""
        if not self.is_new(key):
            return limits.call_seconds
        if self.slowest is None:
            return limits.first_call_seconds
        return min(limits.first_call_seconds, limits.call_seconds + SLOWER_THAN_ANY * self.slowest)
