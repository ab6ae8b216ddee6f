"""The findings: message, smallest input, recipe and script of each."""

from __future__ import annotations

from collections.abc import Iterator

from xentfuzz.reports.document import Document, FailureEntry, ReportEntry
from xentfuzz.reports.markdown.results import recipe_line
from xentfuzz.reports.markdown.text import fenced, folded

# A CI step summary may hold 1 MiB; the records hold the scripts of the others.
SCRIPTS = 20


def findings(document: Document) -> list[str]:
    """Unexpected findings whole, with a script each; then problems of the run."""
    lines: list[str] = []
    for number, (report, failure) in enumerate(_unexpected(document), 1):
        lines += _finding(report, failure, with_script=number <= SCRIPTS)
    for report in document.reports:
        lines += [f"- {report.implementation}, {report.operation}: {problem}" for problem in report.problems]
    return lines


def _unexpected(document: Document) -> Iterator[tuple[ReportEntry, FailureEntry]]:
    return ((report, failure) for report in document.reports for failure in report.unexpected)


def _finding(report: ReportEntry, failure: FailureEntry, *, with_script: bool) -> list[str]:
    lines = [f"### {report.implementation}, {failure.operation}: {failure.check}, {failure.dtype} ({failure.kind})", ""]
    lines += [*fenced(failure.message), "", "Smallest input found:", "", *fenced("\n".join(failure.input)), ""]
    lines += [f"Recipe: {recipe_line(failure.recipe)}", ""]
    if with_script and failure.script:
        lines += [*folded("Script that shows it alone", fenced(failure.script, "python")), ""]
    return lines


def errors(document: Document) -> list[str]:
    """Errors of xentfuzz itself, with their tracebacks."""
    told = [(f"{report.implementation}, {report.operation}, ", error) for report in document.reports for error in report.errors]
    lines = []
    for about, error in (*told, *(("", error) for error in document.errors)):
        where = " ".join(part for part in (error.doing, error.check, error.dtype) if part)
        lines += [f"### {about}{where}: {error.times} x", "", *fenced(error.error), ""]
        lines += [*folded("Traceback", fenced(error.traceback)), ""]
    return lines


def expected(document: Document) -> list[str]:
    """Known findings by the reason why they are expected."""
    found: dict[tuple[str, str], list[str]] = {}
    for report in document.reports:
        for failure in report.failures:
            if failure.expected is not None:
                where = f"{failure.check}, {failure.dtype} ({failure.kind})"
                found.setdefault((f"{report.implementation}, {failure.operation}", failure.expected), []).append(where)
    return [f"- {about}: {reason}: {'; '.join(places)}" for (about, reason), places in found.items()]
