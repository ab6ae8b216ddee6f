"""The report for a pull request, section by section; a section without content is left out. The HTML page has everything."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from xentfuzz.reports.document import Document
from xentfuzz.reports.lines import counted
from xentfuzz.reports.markdown import findings, results
from xentfuzz.reports.markdown.text import fenced, folded
from xentfuzz.reports.repetition import repetition


def to_markdown(document: Document) -> str:
    """The document as a Markdown page: what a pull request needs, the rest folded."""
    lines = [f"# {headline(document)}", "", *introduction(document), ""]
    for title, section in _sections(document):
        if section:
            lines += [f"## {title}", "", *_trimmed(section), ""]
    for title, section in _folded(document):
        if section:
            lines += [*folded(title, _trimmed(section)), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _trimmed(section: list[str]) -> list[str]:
    return "\n".join(section).strip("\n").split("\n")


def headline(document: Document) -> str:
    """Such as "xentfuzz run: FAILED, 2 findings". What was interrupted has not passed, whatever was found."""
    found = sum(len(report.unexpected) for report in document.reports)
    problems = sum(len(report.problems) for report in document.reports)
    errors = len(document.errors) + sum(len(report.errors) for report in document.reports)
    numbers = ((found, "finding"), (problems, "problem"), (errors, "error"))
    counts = [counted(number, noun) + (" of xentfuzz" if noun == "error" else "") for number, noun in numbers if number]
    cut = any(report.cut_short for report in document.reports)
    passed = "INTERRUPTED" if document.interrupted else "PASSED SO FAR" if cut else "PASSED"
    return f"xentfuzz {document.kind}: {', '.join([passed if document.ok else 'FAILED', *counts])}"


def introduction(document: Document) -> Iterator[str]:
    cases = sum(report.cases for report in document.reports)
    reports = document.reports
    names = counted(len({report.implementation for report in reports}), "implementation")
    operations = counted(len({report.operation for report in reports}), "operation")
    yield f"{names}, {operations}, {counted(cases, 'case')} in {document.seconds:.0f} s."
    if document.interrupted:
        yield ""
        yield "**Interrupted**: the results are those of what was run until then."


def _sections(document: Document) -> Iterator[tuple[str, list[str]]]:
    yield "Findings", findings.findings(document)
    yield "Errors of xentfuzz", findings.errors(document)
    yield "Accuracy", _accuracy(document)
    yield "Speed", results.speed(document)


def _accuracy(document: Document) -> list[str]:
    table = results.accuracy(document)
    return ["Largest error / allowed error in each dtype: up to 1 is right.", "", *table] if table else []


def _folded(document: Document) -> Iterator[tuple[str, list[str]]]:
    yield "What this covers", results.coverage(document)
    yield "Choices that the contract leaves", results.policies(document)
    yield "Expected findings", findings.expected(document)
    yield "Agreement", results.agreement(document)
    yield "Machine, versions and how to repeat this", [*_environment(document), "", *_repetition(document)]


def _environment(document: Document) -> list[str]:
    """Versions and hardware, in one line."""
    found = {"xentfuzz": document.xentfuzz, **document.environment}
    words = [f"{name} {', '.join(value) if isinstance(value, list) else value}" for name, value in found.items()]
    return [f"{'; '.join(words)}."]


def _repetition(document: Document) -> list[str]:
    command = repetition(document)
    return fenced(shlex.join(command), "sh") if command else []
