"""In which order cases are run: everything once, then everything by equal parts, so that an end at any time leaves nothing out.

Checks whose calls may damage the process have their turn after the others: in each lap of the first round, and at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

# Cases of one stream in the first round, until one can be compared; those that an implementation does not take cost no call.
FIRST_ATTEMPTS = 40


class Stream(Protocol):
    """The cases of one group of checks, which has a name, in one dtype. cheap: a case takes a call or a few."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def hazardous(self) -> bool: ...
    @property
    def cheap(self) -> bool: ...
    @property
    def progress(self) -> float:
        """Which part of the cases that are wanted has been run; more than 1 where too few of these could be compared."""

    @property
    def compared(self) -> bool:
        """Whether every check of it has compared something."""

    def advance(self, *, first: bool) -> bool:
        """Run one case; False where there is none left. first: in the first round."""


def run_streams(streams: Sequence[Stream]) -> Iterator[Stream]:
    """Advances the streams until all are exhausted, and gives each one that it is about to advance; the caller may stop at any time."""
    open_streams = list(streams)
    for lap in _laps(streams):
        yield from _first_round(sorted(lap, key=lambda stream: stream.hazardous), open_streams)
    for hazardous in (False, True):
        yield from _rest([stream for stream in open_streams if stream.hazardous == hazardous])


def _first_round(lap: Sequence[Stream], open_streams: list[Stream]) -> Iterator[Stream]:
    for stream in lap:
        for _ in range(FIRST_ATTEMPTS):
            yield stream
            if not stream.advance(first=True):
                open_streams.remove(stream)
                break
            if stream.compared:
                break


def _laps(streams: Sequence[Stream]) -> Iterator[list[Stream]]:
    """What costs a call or two in every dtype; then every other check in one dtype, each in the next one; then in the others."""
    yield [stream for stream in streams if stream.cheap]
    names = list(dict.fromkeys(stream.name for stream in streams if not stream.cheap))
    dtypes = list(dict.fromkeys(stream.dtype for stream in streams))
    places = {(name, dtype): (dtypes.index(dtype) - names.index(name)) % len(dtypes) for name in names for dtype in dtypes}
    for lap in range(len(dtypes)):
        running = [stream for stream in streams if not stream.cheap and places[stream.name, stream.dtype] == lap]
        yield sorted(running, key=lambda stream: names.index(stream.name))


def _rest(streams: Sequence[Stream]) -> Iterator[Stream]:
    left = list(streams)
    while left:
        stream = min(left, key=lambda one: one.progress)
        yield stream
        if not stream.advance(first=False):
            left.remove(stream)
