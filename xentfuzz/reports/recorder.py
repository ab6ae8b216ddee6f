"""Collects the events of a run into a document, and writes what is rendered from it: results.json, a report, JUnit's XML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from xentfuzz import __version__
from xentfuzz.environment import reduced_command
from xentfuzz.files import STANDARD_OUTPUT, append_output, write_output
from xentfuzz.reports.document import AgreementEntry, Document, ErrorEntry, UnavailableEntry, report_entry
from xentfuzz.reports.environment import environment
from xentfuzz.reports.privacy import scrubbed_report
from xentfuzz.runner.events import (
    AgreementMeasured,
    BenchmarkFinished,
    Event,
    HarnessFailed,
    RunFinished,
    RunStarted,
    SubjectFinished,
    SubjectUnavailable,
)


@dataclass(frozen=True)
class Output:
    """A file to write, or "-" for standard output, and what renders the document for it; None is not written.

    append: to what the file holds already, as the summary of a CI's step wants it.
    """

    path: str
    render: Callable[[Document], str | None]
    append: bool = False

    @property
    def once(self) -> bool:
        """Whether it is written at the end alone."""
        return self.append or self.path == STANDARD_OUTPUT

    def write(self, document: Document) -> None:
        text = self.render(document)
        if text is not None:
            (append_output if self.append else write_output)(self.path, text)


class Recorder:
    """A listener. Files are written anew whenever a report is complete, so that even a run that is killed leaves what it had found;
    standard output, and what is appended, is written once, at the end.
    """

    def __init__(self, command: Sequence[str], outputs: Sequence[Output]) -> None:
        self.outputs = outputs
        self.document = Document(kind="", xentfuzz=__version__, environment=environment(), command=reduced_command(command))

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.document.kind, self.document.seed, self.document.profile = event.kind, event.seed, event.profile
                self.document.interrupted = True  # a run that is killed can't say so later
            case SubjectUnavailable():
                self.document.unavailable.append(UnavailableEntry(event.implementation, event.operation, event.reason))
            case SubjectFinished():
                self.document.reports.append(scrubbed_report(report_entry(event.report)))
                self._write_files()
            case AgreementMeasured():
                self.document.agreement += _agreement(event)
            case BenchmarkFinished():
                self._benchmark_finished(event.record)
                self._write_files()
            case HarnessFailed():
                self.document.errors.append(msgspec.convert(event.error.to_dict(), ErrorEntry))
            case RunFinished():
                self.document.seconds = round(event.seconds, 3)
                self.document.interrupted = event.interrupted or bool(self.document.benchmark and self.document.benchmark["interrupted"])
                self._write_files()
                self._write_once()
            case _:
                pass

    def _benchmark_finished(self, record: dict[str, Any]) -> None:
        """Within a run it comes after RunFinished, whose seconds are those of the checks; where it is all there is, before it."""
        self.document.benchmark = record
        self.document.seconds = round(self.document.seconds + record["seconds"], 3)
        self.document.interrupted |= record["interrupted"]

    def _write_files(self) -> None:
        for output in self.outputs:
            if not output.once:
                output.write(self.document)

    def _write_once(self) -> None:
        for output in self.outputs:
            if output.once:
                output.write(self.document)


def _agreement(event: AgreementMeasured) -> list[AgreementEntry]:
    return [
        AgreementEntry(event.operation, first, second, int(found["cases"]), int(found["identical"]), found["worst_ratio"])
        for (first, second), found in event.pairs.items()
    ]
