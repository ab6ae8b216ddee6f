"""What a person reads while a run goes on and when it ends: a listener that prints to a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from xentfuzz import __version__
from xentfuzz.reports.card import card_lines
from xentfuzz.reports.document import ErrorEntry, ReportEntry, report_entry
from xentfuzz.reports.lines import Line, at_columns, counted, wrapped
from xentfuzz.reports.overview import overview_lines
from xentfuzz.reports.screen import Screen
from xentfuzz.reports.summary import error_lines, summary_lines, verdict_paragraph
from xentfuzz.runner.events import (
    BenchmarkFinished,
    Event,
    FailureFound,
    HarnessFailed,
    Progress,
    RunFinished,
    RunStarted,
    SubjectFinished,
    SubjectStarted,
    SubjectUnavailable,
)

INTERRUPTED = Line("INTERRUPTED: the results are those of what was run until then", "bold yellow")
# What the phases of a run are called where a person reads them.
PHASES = {"corpus": "checking", "search": "searching", "shrink": "shrinking", "benchmark": "timing"}


class Terminal:
    """Prints a screen about each report of a check; in a run of many implementations a line for each, and an overview at the end.

    verbose: of a check, everything. clock: seconds.
    """

    def __init__(self, screen: Screen, *, verbose: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self.screen = screen
        self.verbose = verbose
        self.clock = clock
        self.began = clock()
        self.started = RunStarted("check", 0, "", 0)
        self.header: list[Line] = []
        self.reports: list[ReportEntry] = []

    def __call__(self, event: Event) -> None:
        with at_columns(self.screen.columns):
            self._hear(event)

    def _hear(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._run_started(event)
            case SubjectStarted() if self.started.kind == "check":
                name = wrapped(f"{event.implementation}, {event.operation}", style="bold")
                self._show([*name, *card_lines(event.card, verbose=self.verbose), Line()])
            case SubjectUnavailable():
                self._show(wrapped(f"{event.implementation}, {event.operation}: {event.reason}", first="SKIPPED: ", style="yellow"))
            case Progress() | FailureFound():
                self._show(())
                self.screen.progress(*progress_words(event), self._left(event))
            case SubjectFinished():
                self._subject_finished(report_entry(event.report))
            case BenchmarkFinished():
                self._benchmark_finished(event)
            case HarnessFailed():
                self.screen.end_progress()
                self._show(error_lines(msgspec.convert(event.error.to_dict(), ErrorEntry)))
            case RunFinished():
                self._run_finished(event)
            case _:
                pass

    def _show(self, lines: Iterable[Line]) -> None:
        # With the first result: a mistake in the arguments is answered by its one line alone.
        shown = [*self.header, *lines]
        self.header = []
        if shown:
            self.screen.show(shown)

    def _left(self, event: Progress | FailureFound) -> float | None:
        """Seconds that the checks take at most; nothing limits a benchmark."""
        timed = isinstance(event, Progress) and event.phase == "benchmark"
        return None if timed or self.started.seconds is None else self.started.seconds - (self.clock() - self.began)

    def _run_started(self, event: RunStarted) -> None:
        self.started, self.began = event, self.clock()
        self.header = [Line(f"xentfuzz {__version__}, {event.kind}, profile {event.profile}, seed {event.seed}"), Line()]

    def _subject_finished(self, entry: ReportEntry) -> None:
        self.reports.append(entry)
        if self.started.kind == "run":
            self._show(verdict_paragraph(entry))
        else:
            self.screen.end_progress()
            self._show([*([Line()] if len(self.reports) > 1 else []), *summary_lines(entry, verbose=self.verbose)])

    def _benchmark_finished(self, event: BenchmarkFinished) -> None:
        from xentfuzz.reports.benchmark_table import benchmark_lines  # noqa: PLC0415 - most runs time nothing

        self.screen.end_progress()
        # A benchmark alone is followed by RunFinished, which says so.
        interrupted = event.record["interrupted"] and self.started.kind == "run"
        self._show([Line(), *benchmark_lines(event.record), *([INTERRUPTED] if interrupted else [])])

    def _run_finished(self, event: RunFinished) -> None:
        self.screen.end_progress()
        lines = [Line(), *overview_lines(self.reports)] if self.started.kind == "run" else []
        if event.interrupted:
            lines.append(INTERRUPTED)
        if len(self.reports) > 1:
            lines.append(Line(f"{_total(self.reports)} in {event.seconds:.1f} s"))
        self._show([*lines, Line(f"repeat with --seed {self.started.seed}")])


def progress_words(event: Progress | FailureFound) -> tuple[str, int, int]:
    """What is going on, how much of it is done, and of how much."""
    if isinstance(event, FailureFound):
        doing = "shrunk" if event.shrunk else "shrinking"
        return f"{doing}: {event.failure.check} {event.failure.dtype}", 0, 0
    return f"{PHASES[event.phase]}: {event.operation} {event.check} {event.dtype}", event.done, event.total


def _total(reports: Sequence[ReportEntry]) -> str:
    cases = sum(report.cases for report in reports)
    findings = sum(len(report.unexpected) for report in reports)
    return f"{counted(findings, 'finding')}, {counted(cases, 'case')}"
