"""Which calls may compile: a just-in-time compiler works once for each kind of argument, or for each shape, and its time is no call's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xentfuzz.arrays import StridedArray
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.outcome import Call

# A first call may take so many times as long as the slowest one so far before it counts as hanging.
SLOWER_THAN_ANY = 10
# And any call so many times as long as calls of its size did: other processes may take all but a small part of the machine.
SLOWER_THAN_EXPECTED = 20
# Once a hang was confirmed: what the next ones may take beside that.
HUNG_BEFORE = 0.5


def specialisation(call: Call) -> tuple[Any, ...]:
    """What compilers specialise on: the function, every array's dtype, rank and kind of layout, and which options are there."""
    arrays = tuple((name, array.dtype, len(array.shape), _layout(array)) for name, array in call.arrays.items())
    return call.function, arrays, tuple(sorted((name, type(value)) for name, value in call.options.items()))


def shapes(call: Call) -> int:
    """What others specialise on: the function, every array's dtype and shape, and the values of all options. A hash, as there are many."""
    arrays = tuple((name, array.dtype, array.shape) for name, array in call.arrays.items())
    return hash((call.function, arrays, repr(sorted(call.options.items()))))


def _layout(array: StridedArray) -> tuple[bool, ...]:
    if 0 in array.shape:
        return ()
    flags = array.view().flags
    return flags.c_contiguous, flags.f_contiguous, flags.aligned, array.writeable


@dataclass
class Specialisations:
    """seen: those that the living worker has compiled, seen_shapes: the same by shape; known: the kinds of all workers.

    slowest: the longest first call so far, in seconds, None before any. hung: whether a call has not come back.
    """

    seen: set[tuple[Any, ...]] = field(default_factory=set)
    seen_shapes: set[int] = field(default_factory=set)
    known: set[tuple[Any, ...]] = field(default_factory=set)
    slowest: float | None = None
    hung: bool = False

    def is_new(self, key: tuple[Any, ...]) -> bool:
        return key not in self.seen

    def has_new_shapes(self, call: Call) -> bool:
        return shapes(call) not in self.seen_shapes

    def note(self, key: tuple[Any, ...], call: Call, seconds: float) -> None:
        self.seen_shapes.add(shapes(call))
        if self.is_new(key):
            self.seen.add(key)
            self.known.add(key)
            self.slowest = max(seconds, self.slowest or 0.0)

    def forget(self) -> None:
        """A new worker has compiled nothing."""
        self.seen.clear()
        self.seen_shapes.clear()

    def time_limit(self, key: tuple[Any, ...], limits: Limits, expected: float = 0.0, *, fresh: bool = False) -> float:
        """Once first calls are known to be fast, one that hangs is not waited for as long as a compiler would be.

        expected: seconds that calls of this size have been seen to take. fresh: its shapes are new to the worker; some compilers work again
        for some shapes only, as torch.compile does for lengths of 1.
        """
        share = HUNG_BEFORE if self.hung else 1.0
        warm = share * limits.call_seconds + SLOWER_THAN_EXPECTED * expected
        if not fresh and not self.is_new(key):
            return warm
        if self.slowest is None:
            return max(share * limits.first_call_seconds, warm)
        return max(warm, self._of_first_calls(limits, warm))

    def patient_limit(self, key: tuple[Any, ...], limits: Limits, limit: float) -> float:
        """For the same call again in a fresh worker, which shall tell whether it hangs: it may compile for the first time."""
        return max(2 * limit, self._of_first_calls(limits, limit) if key in self.known else limits.first_call_seconds)

    def _of_first_calls(self, limits: Limits, limit: float) -> float:
        """A limit with what a compiler may take beside it, going by the slowest one so far."""
        return min(limits.first_call_seconds, limit + SLOWER_THAN_ANY * (self.slowest or 0.0))
