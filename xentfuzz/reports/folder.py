"""The folder that a run writes: results.json, report.md and benchmark.json."""

from __future__ import annotations

import json
from pathlib import Path

from xentfuzz.reports.document import Document, to_json
from xentfuzz.reports.markdown.page import to_markdown
from xentfuzz.reports.recorder import Output


def folder_outputs(folder: Path) -> list[Output]:
    """What is written to `folder` in the course of a run."""
    return [
        Output(str(folder / "results.json"), to_json),
        Output(str(folder / "report.md"), to_markdown),
        Output(str(folder / "benchmark.json"), benchmark_json),
    ]


def benchmark_json(document: Document) -> str | None:
    """The benchmark in pytest-benchmark's form, None before there is one."""
    if document.benchmark is None:
        return None
    from xentfuzz.benchmark.stored import pytest_benchmark_form  # noqa: PLC0415 - needed at a run's end only

    return json.dumps(pytest_benchmark_form(document.benchmark, document.environment), indent=1) + "\n"
