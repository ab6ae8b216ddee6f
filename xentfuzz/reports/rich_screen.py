"""The screen of a terminal: colour (unless NO_COLOR is set) and one line of progress that gives way to results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from xentfuzz.reports.lines import NARROWEST, WIDEST, Line, clipped
from xentfuzz.reports.screen import left_words

# Beside the text: the time left; where a terminal is wide enough, a bar and the time so far too. With the blanks between them.
LEFT, BAR, ELAPSED = 22, 10, 8
WIDE = 70


class RichScreen:
    def __init__(self, stream: TextIO, *, force_terminal: bool | None = None) -> None:
        self.console = Console(file=stream, force_terminal=force_terminal, highlight=False)
        self.columns = min(max(self.console.width, NARROWEST), WIDEST)
        self.display: Progress | None = None
        self.task = TaskID(0)
        self.wide = self.columns >= WIDE

    def show(self, lines: Iterable[Line]) -> None:
        for line in lines:
            # Text, not markup: messages hold brackets. Lines are wrapped already.
            self.console.print(Text(line.text, style=line.style), soft_wrap=True)

    def progress(self, text: str, done: int, total: int, left: float | None = None) -> None:
        room = self.columns - LEFT - (BAR + ELAPSED) * self.wide
        told = f"{clipped(text, room):<{room}}"
        words = left_words(left) if left is not None else f"{done}/{total}" if total else ""
        if self.display is None:
            self.display = self._new_display()
            self.task = self.display.add_task(told, completed=done, total=total or None, left=words)
            self.display.start()
        self.display.update(self.task, description=told, completed=done, total=total or None, left=words)

    def end_progress(self) -> None:
        if self.display is not None:
            self.display.stop()
            self.display = None

    def _new_display(self) -> Progress:
        text, left = (TextColumn(field, markup=False) for field in ("{task.description}", "{task.fields[left]}"))
        between: list[ProgressColumn] = [BarColumn(BAR - 1), TimeElapsedColumn()] if self.wide else []
        return Progress(text, *between, left, console=self.console, transient=True, refresh_per_second=8)
