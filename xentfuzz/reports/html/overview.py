"""The head of the page: one sentence of verdict, one line for each implementation, where and how it was run."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xentfuzz.reports.document import Document, ReportEntry
from xentfuzz.reports.grade_words import grade_words
from xentfuzz.reports.html.elements import Cell, Table
from xentfuzz.reports.lines import counted
from xentfuzz.reports.repetition import repetition
from xentfuzz.reports.tally import ratio_words, ulp_words, worst_entry


@dataclass(frozen=True)
class Overview:
    """status: a class that colours the verdict."""

    title: str
    status: str
    verdict: str
    remarks: Sequence[str]
    implementations: Table
    operations: Table | None
    environment: Table
    command: str


def overview(document: Document) -> Overview:
    by_name = _by_implementation(document)
    several = len({report.operation for report in document.reports}) > 1
    return Overview(
        title=f"xentfuzz {document.kind}",
        status="passed" if document.ok and not document.interrupted else "failed",
        verdict=_verdict(document),
        remarks=list(_remarks(document)),
        implementations=Table(
            "Each implementation over all operations",
            _header(document, "implementation"),
            [_line(name, reports, document) for name, reports in by_name.items()] + _unavailable(document, set(by_name)),
            right=_numbers(document),
        ),
        operations=Table(
            "Each implementation, operation by operation",
            _header(document, "implementation, operation"),
            [_line(f"{report.implementation}, {report.operation}", [report], document) for report in document.reports],
            right=_numbers(document),
        )
        if several
        else None,
        environment=_environment(document),
        command=shlex.join(["xentfuzz", *repetition(document)]) if repetition(document) else "",
    )


def _by_implementation(document: Document) -> dict[str, list[ReportEntry]]:
    found: dict[str, list[ReportEntry]] = {}
    for report in document.reports:
        found.setdefault(report.implementation, []).append(report)
    return found


def _verdict(document: Document) -> str:
    found = sum(len(report.unexpected) for report in document.reports)
    wrong = {report.implementation for report in document.reports if not report.ok}
    names = counted(len(_by_implementation(document)), "implementation")
    problems = sum(len(report.problems) for report in document.reports)
    if found or problems:
        counts = " and ".join(counted(number, noun) for number, noun in ((found, "finding"), (problems, "problem")) if number)
        return f"{counts} in {', '.join(sorted(wrong))} ({names} checked)."
    if not document.ok:
        return "A result that was to be timed is wrong."
    if document.interrupted:
        return "Interrupted: nothing was found until then, and not everything was tried."
    if not document.reports:
        return "Timed; every timed result is right."
    expected = sum(len(report.failures) for report in document.reports)
    more = f", {counted(expected, 'expected finding')}" if expected else ""
    until = "that was compared so far" if any(report.cut_short for report in document.reports) else "that was compared"
    return f"Everything {until} is right: {names}{more}."


def _remarks(document: Document) -> Iterator[str]:
    cases = sum(report.cases for report in document.reports)
    if cases:
        yield f"{cases:,} cases in {document.seconds:.0f} s."
    if document.interrupted:
        yield "The run was interrupted: the results are those of what was run until then."


def _header(document: Document, first: str) -> list[str]:
    header = [first, "verdict", "findings", "expected", "not taken", "worst error / allowed", "ulp"]
    if document.benchmark and _speeds(document):
        header += [f"speed / {document.benchmark['baseline']}"]
    return [*header, *(["share of the roof"] if _roofs(document) else []), "declared grade"]


def _numbers(document: Document) -> frozenset[int]:
    """All columns between the verdict and the grade, which takes the most room and is read the least."""
    return frozenset(range(2, len(_header(document, "")) - 1))


def _line(name: str, reports: Sequence[ReportEntry], document: Document) -> list[Cell | str]:
    ok = all(report.ok for report in reports)
    findings = sum(len(report.unexpected) for report in reports)
    worst = max((entry for report in reports if (entry := worst_entry(report))), key=lambda entry: entry.worst_ratio, default=None)
    grades = dict.fromkeys(grade_words(report.grade) for report in reports)
    cells: list[Cell | str] = [
        name,
        Cell("passed so far" if any(report.cut_short for report in reports) else "passed", "passed") if ok else Cell("FAILED", "failed"),
        Cell(str(findings), "failed" if findings else "", link="findings" if findings else ""),
        str(sum(len(report.failures) - len(report.unexpected) for report in reports)),
        Cell(str(sum(len(report.card.rejections) for report in reports)), link="covers"),
        ratio_words(worst.worst_ratio) if worst else "",
        ulp_words(worst.worst_ulp) if worst else "",
    ]
    implementation = name.split(", ", maxsplit=1)[0]
    measured = [found.get(implementation, "") for found in (_speeds(document), _roofs(document)) if found]
    return [*cells, *measured, "; ".join(grades)]


def _unavailable(document: Document, known: set[str]) -> list[list[Cell | str]]:
    names = dict.fromkeys((entry.implementation, entry.reason) for entry in document.unavailable if entry.implementation not in known)
    width = len(_header(document, ""))
    empty: list[Cell | str] = [""] * (width - 3)
    return [[name, Cell("not run", "quiet"), *empty, reason] for name, reason in names]


def _speeds(document: Document) -> dict[str, str]:
    """Implementation -> geometric mean of its speeds over all that was timed; a baseline of which nothing was timed gives none."""
    rows = [row for row in (document.benchmark or {}).get("rows", ()) if row["status"] == "timed" and row.get("speed")]
    names = dict.fromkeys(row["implementation"] for row in rows)
    return {name: f"{_mean([row['speed'] for row in rows if row['implementation'] == name]):.2f}" for name in names}


def _roofs(document: Document) -> dict[str, str]:
    """Implementation -> geometric mean of the shares of what this machine allows."""
    rows = [row for row in (document.benchmark or {}).get("rows", ()) if row["status"] == "timed" and row.get("share_of_roof")]
    names = dict.fromkeys(row["implementation"] for row in rows)
    return {name: f"{_mean([row['share_of_roof'] for row in rows if row['implementation'] == name]):.0%}" for name in names}


def _mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def _environment(document: Document) -> Table:
    found = {"xentfuzz": document.xentfuzz, "profile": document.profile, "seed": document.seed, **document.environment}
    rows = [
        [name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)]
        for name, value in found.items()
        if value not in (None, "")
    ]
    return Table("Machine and versions", ["", ""], rows, visible_caption=False)
