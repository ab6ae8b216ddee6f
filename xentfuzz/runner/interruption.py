"""Ctrl-C as a note instead of an end, so that what was found is still reported."""

from __future__ import annotations

from types import TracebackType


class Interruption:
    """A context in which Ctrl-C ends the block and no more. happened: whether it ever did."""

    def __init__(self) -> None:
        self.happened = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        interrupted = isinstance(error, KeyboardInterrupt)
        self.happened |= interrupted
        return interrupted
