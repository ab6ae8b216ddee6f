"""A contestant in whose calls one cause can't show: what a check still finds there has a cause of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.implementation import Implementation
from xentfuzz.operations.options import IGNORE_INDEX
from xentfuzz.runner.contestant import Contestant
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.outcome import FUNCTIONS, Call, Outcome
from xentfuzz.subjects.subject import Subject

# Elements on either side of an argument: as many as one number for each row of the largest case that a check of memory makes.
GUARD = 1 << 14
# What a library that keeps intermediates in 16 bits meets.
SIXTEEN_BIT_GRADE = "staged/any"
Array = np.ndarray[Any, Any]


class Altered:
    """A subject with another declaration or card, or whose arguments are altered on their way. calls: those of its functions so far."""

    def __init__(
        self,
        subject: Subject,
        *,
        alter: Callable[[StridedArray], StridedArray] = lambda array: array,
        implementation: Implementation | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        self.subject = subject
        self.alter = alter
        self.implementation = implementation or subject.implementation
        self.capabilities = capabilities or subject.capabilities
        self.isolated = subject.isolated
        self.notices = subject.notices
        self.calls: list[Call] = []

    def describe(self) -> dict[str, Any]:
        return self.subject.describe()

    def call(self, call: Call) -> Outcome:
        if call.function in FUNCTIONS:
            self.calls.append(call)
        return self.subject.call(replace(call, arrays={name: self.alter(array) for name, array in call.arrays.items()}))

    def close(self) -> None:
        self.subject.close()


def recorded(contestant: Contestant) -> tuple[Contestant, list[Call]]:
    """The contestant, and the list of its calls as they are made."""
    subject = Altered(contestant.subject)
    return replace(contestant, subject=subject), subject.calls


def with_grade(contestant: Contestant, grade: str, dtypes: tuple[str, ...]) -> Contestant:
    """As if a laxer grade had been declared in some dtypes."""
    declared = contestant.subject.implementation
    grades = {name: grade if name in dtypes else declared.grade_for(name) for name in FLOAT_NAMES}
    return replace(contestant, subject=Altered(contestant.subject, implementation=replace(declared, grade=grades)), stricter={})


def without_ignored_rows(contestant: Contestant) -> Contestant:
    """As if it took no ignored rows, so that a check makes none of its own."""
    card = contestant.subject.capabilities
    options = {**card.options, IGNORE_INDEX.name: ()}
    return replace(contestant, subject=Altered(contestant.subject, capabilities=replace(card, options=options)))


def with_known_memory_around(contestant: Contestant) -> Iterator[Contestant]:
    """Every argument within memory that is the same in every call: zeros, then the argument's own outermost elements repeated.

    A result that depends on what lies beyond an argument is always the same there; and it is right for one of the two, where the numbers
    read there are added up or multiplied, or stand for those that the kernel should have read.
    """
    for edges in (False, True):
        yield replace(contestant, subject=Altered(contestant.subject, alter=partial(_surrounded, edges=edges)))


def _surrounded(array: StridedArray, *, edges: bool) -> StridedArray:
    """The array within such memory; also what its own strides leave out."""
    values = array.view()
    if not values.size:
        return array
    width = values.dtype.itemsize
    before, after = (_filled(values.flat[place], GUARD, edges=edges) for place in (0, -1))
    inside = _filled(values.flat[-1], -(-array.storage.size // width), edges=edges)[: array.storage.size]
    storage = np.concatenate([before, inside, after])
    around = replace(array, storage=storage, offset=array.offset + before.size, writeable=True)
    around.view()[...] = values
    return replace(around, writeable=array.writeable)


def _filled(value: Any, count: int, *, edges: bool) -> Array:
    fill = np.full(count, value) if edges else np.zeros(count, np.asarray(value).dtype)
    return fill.view(np.uint8)
