"""Ctrl-C and SIGTERM as a note instead of an end, so that what was found is still reported."""

from __future__ import annotations

from types import TracebackType

from xentfuzz.errors import Terminated


class Interruption:
    """A context in which Ctrl-C ends the block and no more. happened: whether it ever did; in_a_hurry: by SIGTERM."""

    def __init__(self) -> None:
        self.happened = False
        self.in_a_hurry = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        interrupted = isinstance(error, KeyboardInterrupt)
        self.happened |= interrupted
        self.in_a_hurry |= isinstance(error, Terminated)
        return interrupted
