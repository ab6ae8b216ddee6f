"""The screen of a terminal: colour (unless NO_COLOR is set) and one line of progress that gives way to results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from xentfuzz.reports.lines import WIDTH, Line, clipped

# Beside the bar, the counts and the time.
TEXT = 42
BAR = 12


class RichScreen:
    def __init__(self, stream: TextIO, *, force_terminal: bool | None = None) -> None:
        self.console = Console(file=stream, force_terminal=force_terminal, highlight=False, width=WIDTH)
        self.display: Progress | None = None
        self.task = TaskID(0)

    def show(self, lines: Iterable[Line]) -> None:
        for line in lines:
            # Text, not markup: messages hold brackets. Lines are wrapped already.
            self.console.print(Text(line.text, style=line.style), soft_wrap=True)

    def progress(self, text: str, done: int, total: int) -> None:
        description = f"{clipped(text, TEXT):<{TEXT}}"
        if self.display is None:
            self.display = self._new_display()
            self.task = self.display.add_task(description, completed=done, total=total or None)
            self.display.start()
        self.display.update(self.task, description=description, completed=done, total=total or None)

    def end_progress(self) -> None:
        if self.display is not None:
            self.display.stop()
            self.display = None

    def _new_display(self) -> Progress:
        columns = (TextColumn("{task.description}", markup=False), BarColumn(BAR), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self.console, transient=True, refresh_per_second=8)
