"""Whose a KeyboardInterrupt is: the user's, who sent a signal, or an implementation's own."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self


class SignalWatch:
    """A context that notes whether SIGINT arrived in it; what handled the signal before still does.

    arrived: never True in another thread than the main one, where Python handles no signal.
    """

    def __init__(self) -> None:
        self.arrived = False
        self._handler: Any = None

    def __enter__(self) -> Self:
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler) and threading.current_thread() is threading.main_thread():
            self._handler = handler
            signal.signal(signal.SIGINT, self._heed)
        return self

    def __exit__(self, *_: object) -> None:
        # What an implementation has set for itself stays.
        if self._handler is not None and signal.getsignal(signal.SIGINT) == self._heed:
            signal.signal(signal.SIGINT, self._handler)

    def _heed(self, number: int, frame: FrameType | None) -> None:
        self.arrived = True
        self._handler(number, frame)
