"""Implementation x check x dtype on one screen: one mark for each dtype, checks with the same marks share a row."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.reports.document import CheckEntry, ReportEntry
from xentfuzz.reports.lines import Line, columns, in_columns, wrapped
from xentfuzz.reports.tally import ELSEWHERE

MARKS = {"passed": ".", "failed": "F", "error": "E", "expected": "x", "unsupported": "-", "not_run": "?"}
LEGEND = (
    f"One mark for each of {', '.join(FLOAT_NAMES)}:",
    ". passed, F failed, E error of xentfuzz, x expected, - unsupported, ? not run",
)
# At least so much is left for the names of checks; half a line where that is less.
LABEL = 34
GAP = 2
# Of checks with nothing to look at, so many are named; the report lists all.
NAMED = 3


def marks(report: ReportEntry, check: str) -> str:
    """The marks of one check in one report, "" where the report doesn't have it."""
    found = {entry.dtype: MARKS[entry.status] for entry in report.checks if entry.check == check}
    return "".join(found.get(dtype, MARKS["not_run"]) for dtype in FLOAT_NAMES) if found else ""


def matrix_rows(reports: Sequence[ReportEntry]) -> dict[tuple[str, ...], list[str]]:
    """Marks of every report (of one operation) -> the checks that have them, in the order of their first appearance."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for check in dict.fromkeys(entry.check for report in reports for entry in report.checks):
        rows.setdefault(tuple(marks(report, check) for report in reports), []).append(check)
    return rows


def matrix_lines(reports: Sequence[ReportEntry]) -> list[Line]:
    """The matrices of all operations, one below the other; more implementations than fit a line go into a further matrix."""
    lines = []
    for operation in dict.fromkeys(report.operation for report in reports):
        ours = [report for report in reports if report.operation == operation]
        for part in _parts(ours):
            lines += [*_operation_lines(operation, part), Line()]
    return lines


def _parts(reports: Sequence[ReportEntry]) -> list[list[ReportEntry]]:
    """Reports in groups whose names fit beside the label."""
    parts: list[list[ReportEntry]] = [[]]
    for report in reports:
        if parts[-1] and _label_width() + sum(_width(other) + GAP for other in (*parts[-1], report)) > columns():
            parts.append([])
        parts[-1].append(report)
    return parts


def _label_width() -> int:
    return min(LABEL, columns() // 2)


def _width(report: ReportEntry) -> int:
    # Longer names are folded: they are file names with an attribute, say.
    return min(max(len(report.implementation), len(FLOAT_NAMES)), columns() - _label_width() - GAP)


def _operation_lines(operation: str, reports: Sequence[ReportEntry]) -> list[Line]:
    names = [_width(report) for report in reports]
    widths = [columns() - sum(width + GAP for width in names), *names]
    lines = [Line(text, "bold") for text in in_columns([(operation, *(report.implementation for report in reports))], widths, GAP)]
    lacking: dict[str, list[str]] = {}
    for cells, checks in matrix_rows(reports).items():
        reason = _reason_lacking(cells, [entry for report in reports for entry in report.checks if entry.check == checks[0]])
        if reason:
            lacking.setdefault(reason, []).extend(checks)
            continue
        style = "red" if any(MARKS["failed"] in cell for cell in cells) else ""
        lines += [Line(text, style) for text in in_columns([(_label(cells, checks), *cells)], widths, GAP, indent="  ")]
    for reason, checks in lacking.items():
        lines += wrapped(", ".join(checks), first=f"  {reason}: ", style="dim")
    return lines


def _reason_lacking(cells: Sequence[str], entries: Sequence[CheckEntry]) -> str:
    """Why a row of marks says nothing about anyone; "" where it does. entries: of one of its checks."""
    if set("".join(cells)) - {MARKS["unsupported"], MARKS["not_run"]}:
        return ""
    not_run = any(entry.status == "not_run" or entry.reason.startswith(ELSEWHERE) for entry in entries)
    return "not run" if not_run else "supported by none"


def _label(cells: Sequence[str], checks: Sequence[str]) -> str:
    """The names of checks; of many that passed, the first ones and a count."""
    seen = set("".join(cells))
    if len(checks) <= NAMED + 1 or seen & {MARKS["failed"], MARKS["error"], MARKS["expected"]}:
        return ", ".join(checks)
    return f"{', '.join(checks[:NAMED])} and {len(checks) - NAMED} more"
