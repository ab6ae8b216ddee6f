"""Where lines for a person go: plain text for files and pipes, colour and a progress display for a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Protocol, TextIO

from xentfuzz.reports.lines import WIDTH, Line, clipped

# A log that says nothing for long looks like a hang; one line in so many seconds is no flood.
PLAIN_SECONDS = 15.0


class Screen(Protocol):
    @property
    def columns(self) -> int:
        """How wide it is."""

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines for good."""

    def progress(self, text: str, done: int, total: int, left: float | None = None) -> None:
        """Say what is going on; total 0 where it isn't known. left: seconds that it takes at most, None where nothing limits it."""

    def end_progress(self) -> None:
        """Take the display of progress away."""


class PlainScreen:
    """Text only. Progress is a line now and then."""

    columns = WIDTH

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.clock = clock
        self.began = self.last = clock()

    def show(self, lines: Iterable[Line]) -> None:
        self.stream.writelines(f"{line.text}\n" for line in lines)
        self.stream.flush()
        self.last = self.clock()

    def progress(self, text: str, done: int, total: int, left: float | None = None) -> None:
        if self.clock() - self.last >= PLAIN_SECONDS:
            share = f" {done} of {total}" if total else ""
            most = "" if left is None else f", {left_words(left)}"
            self.show([Line(clipped(f"{self.clock() - self.began:.0f} s{most}: {text}{share}"))])

    def end_progress(self) -> None:
        pass


def left_words(seconds: float) -> str:
    """Such as "at most 1:05 left"; a limit that is over is that of what tries things, and a report is still to come."""
    whole = round(seconds)
    if whole <= 0:
        return "almost done"
    hours, minutes = divmod(whole // 60, 60)
    clock = f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
    return f"at most {clock} left"


def screen_for(stream: TextIO) -> Screen:
    """A rich screen where `stream` is a terminal that can move its cursor, else a plain one."""
    if stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown"):
        # Loading rich takes as long as the rest of a short command.
        from xentfuzz.reports.rich_screen import RichScreen  # noqa: PLC0415

        return RichScreen(stream)
    return PlainScreen(stream)
