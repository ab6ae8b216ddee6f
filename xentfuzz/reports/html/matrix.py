"""The matrix: what each check said of each implementation in each dtype, by what the checks are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xentfuzz.checks.registry import all_checks
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.reports.document import CheckEntry, Document, ReportEntry
from xentfuzz.reports.html.elements import Cell, Section, Table
from xentfuzz.reports.html.findings import numbered
from xentfuzz.reports.tally import STATUS_WORDS, WORST_FIRST, ratio_words

# Module of a check's judge -> what its checks are about.
SUBJECTS = {
    "results": "Values, gradients, shapes and dtypes",
    "identities": "Identities and relations",
    "invalid": "Invalid input",
    "memory": "Memory",
    "repeat": "Memory",
    "threads": "Process and threads",
    "surroundings": "Process and threads",
    "torch_protocol": "Autograd",
    "many": "Large inputs",
    "large": "Large inputs",
}
OTHER = "Other checks"


def section(document: Document) -> Section:
    operations = dict.fromkeys(report.operation for report in document.reports)
    tables = [table for operation in operations for table in _tables(document, operation)]
    shown = [table for table, folded in tables if not folded]
    passed = [table for table, folded in tables if folded]
    return Section(
        "checks",
        "Checks",
        "The worst word of all dtypes, with the dtypes that it is about where they differ. A cell leads to its evidence.",
        tables=shown,
        folded=[("Checks in which nothing stands out", passed)] if passed else [],
    )


def _tables(document: Document, operation: str) -> Iterator[tuple[Table, bool]]:
    """(table, whether everything in it passed or does not apply) for each subject."""
    reports = [report for report in document.reports if report.operation == operation]
    findings = {(report.implementation, failure.check): number for report, number, failure in numbered(document) if report in reports}
    header = ["check", *(report.implementation for report in reports)]
    for subject, checks in _by_subject(reports).items():
        rows: list[list[Cell | str]] = [[check, *(_cell(report, check, findings) for report in reports)] for check in checks]
        loud = [row for row in rows if any(isinstance(cell, Cell) and cell.mark in ("failed", "expected") for cell in row)]
        quiet = [row for row in rows if row not in loud]
        for part, folded in ((loud, False), (quiet, True)):
            if part:
                yield Table(f"{operation}: {subject}", header, part), folded


def _by_subject(reports: Sequence[ReportEntry]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    known = all_checks()
    for check in dict.fromkeys(entry.check for report in reports for entry in report.checks):
        judge = known[check].judge.__module__.rpartition(".")[2] if check in known else ""
        found.setdefault(SUBJECTS.get(judge, OTHER), []).append(check)
    return found


def _cell(report: ReportEntry, check: str, findings: dict[tuple[str, str], int]) -> Cell:
    entries = [entry for entry in report.checks if entry.check == check]
    if not entries:
        return Cell("")
    status = min((entry.status for entry in entries), key=_rank)
    dtypes = [entry.dtype for entry in entries if entry.status == status]
    named = "" if set(dtypes) >= set(report.card.dtypes) or status == "unsupported" else f" in {', '.join(dtypes)}"
    number = findings.get((report.implementation, check))
    link = f"finding-{number}" if number and status in ("failed", "expected") else evidence_anchor(report, check)
    mark = status if status in ("failed", "expected", "passed") else "quiet"
    return Cell(f"{STATUS_WORDS.get(status, status)}{named}", mark, link)


def _rank(status: str) -> int:
    return WORST_FIRST.index(status) if status in WORST_FIRST else 0


def evidence_anchor(report: ReportEntry, check: str) -> str:
    return f"evidence-{report.operation}-{_plain(report.implementation)}-{check}"


def _plain(name: str) -> str:
    """A name as a part of an anchor."""
    return "".join(character if character.isalnum() else f"_{ord(character):x}" for character in name)


def evidence(document: Document) -> Section:
    """For each check of each implementation: cases, the worst error, and the recipe that it comes from."""
    folded = [(f"{report.implementation}, {report.operation}", [_evidence_table(report)]) for report in document.reports if report.checks]
    return Section("evidence", "Evidence", "Cases compared by each check, and the case with the largest error.", folded=folded)


def _evidence_table(report: ReportEntry) -> Table:
    rows: list[list[Cell | str]] = []
    for check in dict.fromkeys(entry.check for entry in report.checks):
        entries = [entry for entry in report.checks if entry.check == check]
        worst = max(entries, key=lambda entry: entry.worst_ratio)
        rows.append(
            [
                Cell(check, anchor=evidence_anchor(report, check)),
                " ".join(f"{entry.cases}" for entry in entries),
                _reasons(entries),
                f"{ratio_words(worst.worst_ratio)} ({worst.dtype})" if worst.worst_ratio else "",
                Cell(_recipe(worst), code=True) if worst.worst_ratio else "",
            ]
        )
    header = ["check", f"cases in {', '.join(FLOAT_NAMES)}", "not compared", "worst error / allowed", "its recipe"]
    return Table(f"{report.implementation}, {report.operation}", header, rows, right=frozenset({1, 3}), visible_caption=False)


def _reasons(entries: Sequence[CheckEntry]) -> str:
    return "; ".join(dict.fromkeys(entry.reason for entry in entries if entry.reason))


def _recipe(entry: CheckEntry) -> str:
    from xentfuzz.reports.markdown.results import recipe_line  # noqa: PLC0415

    return recipe_line(entry.recipe or {}).strip("`")
