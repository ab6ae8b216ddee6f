"""Ctrl-C and SIGTERM as a note instead of an end, so that what was found is still reported."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType

from xentfuzz.errors import Terminated


class Interruption:
    """A context in which Ctrl-C ends the block and no more. happened: whether it ever did; in_a_hurry: by SIGTERM.

    ending: whether the exception is on its way out of a block, which another one would only keep from being cleaned up.
    """

    def __init__(self) -> None:
        self.happened = False
        self.in_a_hurry = False
        self.ending = False
        self._depth = 0

    @property
    def inside(self) -> bool:
        """Whether one of its blocks is being carried out."""
        return self._depth > 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        self._depth -= 1
        self.ending = False
        interrupted = isinstance(error, KeyboardInterrupt)
        self.happened |= interrupted
        self.in_a_hurry |= isinstance(error, Terminated)
        return interrupted


@contextlib.contextmanager
def interrupted_only_inside(*interruptions: Interruption) -> Iterator[None]:
    """Ctrl-C and SIGTERM end a block of one of these, once, and are noted by the last of them anywhere else.

    A key that is held down sends an interrupt every few hundredths of a second, also while reports are being made and written.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def heed(number: int, frame: FrameType | None) -> None:
        current = next((one for one in interruptions if one.inside), None)
        if current is None or current.ending:
            interruptions[-1].happened = True
            return
        current.ending = True
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    # Only a handler that raises is replaced, and only the main thread may do that.
    in_main_thread = threading.current_thread() is threading.main_thread()
    replaced = [number for number, handler in handlers.items() if callable(handler) and in_main_thread]
    for number in replaced:
        signal.signal(number, heed)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, handlers[number])
