"""The folder that a run writes: results.json, report.html, report.md, benchmark.json and failures/."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from xentfuzz.errors import UsageError
from xentfuzz.failures.store import place_of, write_failure
from xentfuzz.reports.document import Document, to_json
from xentfuzz.reports.markdown.page import to_markdown
from xentfuzz.reports.recorder import Output
from xentfuzz.runner.events import Event, SubjectFinished


def folder_outputs(folder: Path) -> list[Output]:
    """What is written to `folder` in the course of a run."""
    return [
        Output(str(folder / "results.json"), to_json),
        Output(str(folder / "report.md"), to_markdown),
        Output(str(folder / "benchmark.json"), benchmark_json),
        Output(str(folder / "report.html"), _html),
    ]


def _html(document: Document) -> str | None:
    """The page, None where its template engine is not installed: everything else is written all the same."""
    try:
        from xentfuzz.reports.html.page import to_html  # noqa: PLC0415 - needed at a run's end only
    except UsageError:
        return None
    return to_html(document)


class FailureFolder:
    """A listener that writes record and script of each unexpected failure into a folder, which is there only if there is one."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self.folder = folder
        self.command = command

    def __call__(self, event: Event) -> None:
        if isinstance(event, SubjectFinished):
            for failure in event.report.unexpected:
                place = place_of(self.folder, failure.implementation, failure.operation)
                write_failure(place, failure, command=self.command, seed=event.report.seed)


def benchmark_json(document: Document) -> str | None:
    """The benchmark in pytest-benchmark's form, None before there is one."""
    if document.benchmark is None:
        return None
    from xentfuzz.benchmark.stored import pytest_benchmark_form  # noqa: PLC0415 - needed at a run's end only

    return json.dumps(pytest_benchmark_form(document.benchmark, document.environment), indent=1) + "\n"
