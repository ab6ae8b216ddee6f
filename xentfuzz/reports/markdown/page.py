"""The whole report, section by section; a section without content is left out."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from xentfuzz.reports.document import Document
from xentfuzz.reports.lines import counted
from xentfuzz.reports.markdown import findings, results
from xentfuzz.reports.markdown.text import fenced, markdown_table
from xentfuzz.reports.repetition import repetition


def to_markdown(document: Document) -> str:
    """The document as a Markdown page."""
    lines = [f"# {headline(document)}", "", *introduction(document), ""]
    for title, section in _sections(document):
        if section:
            lines += [f"## {title}", "", *"\n".join(section).strip("\n").split("\n"), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def headline(document: Document) -> str:
    """Such as "xentfuzz run: FAILED, 2 findings". What was interrupted has not passed, whatever was found."""
    found = sum(len(report.unexpected) for report in document.reports)
    problems = sum(len(report.problems) for report in document.reports)
    counts = [counted(number, noun) for number, noun in ((found, "finding"), (problems, "problem")) if number]
    passed = "INTERRUPTED" if document.interrupted else "PASSED"
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
    yield "Results", results.matrix(document) if document.reports else []
    yield "Accuracy", results.accuracy(document)
    yield "Errors beside those of a plain evaluation", results.beside_plain(document)
    yield "Agreement", results.agreement(document)
    yield "What this covers", results.coverage(document)
    yield "Policies", results.policies(document)
    yield "Expected findings", findings.expected(document)
    yield "Benchmark", _benchmark(document)
    yield "Environment", environment_table(document)
    yield "How to repeat this", _repetition(document)


def _benchmark(document: Document) -> list[str]:
    if document.benchmark is None:
        return []
    from xentfuzz.benchmark.markdown import benchmark_section  # noqa: PLC0415 - most documents hold no benchmark

    # Its own heading is the section's.
    _, _, tables = benchmark_section(document.benchmark).partition("\n")
    return tables.splitlines()


def environment_table(document: Document) -> list[str]:
    """Versions and hardware."""
    found = {"xentfuzz": document.xentfuzz, **document.environment}
    rows = [[name, ", ".join(value) if isinstance(value, list) else str(value)] for name, value in found.items()]
    return markdown_table(["", ""], rows)


def _repetition(document: Document) -> list[str]:
    command = repetition(document)
    return fenced(shlex.join(command), "sh") if command else []
