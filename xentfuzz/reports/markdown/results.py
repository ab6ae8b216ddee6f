"""The tables of results: matrix, accuracy, agreement, coverage, policies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.failures.input_words import recipe_words
from xentfuzz.reports.coverage import coverage_words, reasons_left_out
from xentfuzz.reports.document import CheckEntry, Document, ReportEntry
from xentfuzz.reports.grade_words import grade_for, stricter_grade_for
from xentfuzz.reports.markdown.text import code, markdown_table
from xentfuzz.reports.matrix import LEGEND, marks
from xentfuzz.reports.tally import MOST_ULP

Lines = list[str]

LONGEST_RECIPE = 1000


def matrix(document: Document) -> Lines:
    """Check x implementation for each operation, with one mark for each dtype."""
    lines = [" ".join(LEGEND) + ".", ""]
    for operation, reports in by_operation(document.reports).items():
        checks = dict.fromkeys(entry.check for report in reports for entry in report.checks)
        rows = [[check, *(_marks(report, check) for report in reports)] for check in checks]
        lines += [f"### {operation}", "", *markdown_table(["check", *(report.implementation for report in reports)], rows), ""]
    return lines


def by_operation(reports: Sequence[ReportEntry]) -> dict[str, list[ReportEntry]]:
    found: dict[str, list[ReportEntry]] = {}
    for report in reports:
        found.setdefault(report.operation, []).append(report)
    return found


def _marks(report: ReportEntry, check: str) -> str:
    text = marks(report, check)
    shown = code(text) if text else ""
    return f"**{shown}**" if "F" in text else shown


def accuracy(document: Document) -> Lines:
    """The largest error / allowed error of each implementation, operation and dtype, with the recipe that caused it."""
    header = ["implementation", "operation", "dtype", "grade", "could declare", "error/allowed", "ulp", "check", "recipe"]
    rows = [
        [
            report.implementation,
            report.operation,
            entry.dtype,
            grade_for(report.grade, entry.dtype),
            stricter_grade_for(report.stricter_grade, entry.dtype),
            *_worst(entry),
        ]
        for report in document.reports
        for entry in _worst_by_dtype(report)
    ]
    return markdown_table(header, rows, right={5, 6})


def _worst_by_dtype(report: ReportEntry) -> list[CheckEntry]:
    measured = [entry for entry in report.checks if entry.recipe is not None]
    groups = [[entry for entry in measured if entry.dtype == dtype] for dtype in FLOAT_NAMES]
    return [max(group, key=lambda entry: entry.worst_ratio) for group in groups if group]


def _worst(entry: CheckEntry) -> list[str]:
    return [f"{entry.worst_ratio:.3g}", _ulp(entry.worst_ulp), entry.check, recipe_line(entry.recipe or {})]


def _ulp(ulp: float) -> str:
    """Of an error between results there is none."""
    if not ulp:
        return ""
    return f"{ulp:.3g}" if ulp <= MOST_ULP else f"> {MOST_ULP:.0e}"


def beside_plain(document: Document) -> Lines:
    """Median and 95 % of the largest error / allowed error of a case, by regime, and those of a plain evaluation of the same cases."""
    header = ["implementation", "operation", "dtype", "output", "regime", "cases", "median", "95 %", "plain median", "plain 95 %"]
    rows = [
        [report.implementation, report.operation, row["dtype"], row["output"], row["regime"], *_quantiles(row["share_of_allowed"])]
        for report in document.reports
        for row in report.beside_plain
    ]
    return markdown_table(header, rows, right={5, 6, 7, 8, 9}) if rows else []


def _quantiles(of: dict[str, Any]) -> list[str]:
    return [str(of["cases"]), *(f"{of[name]:.2g}" for name in ("median", "high", "plain_median", "plain_high"))]


def recipe_line(recipe: dict[str, Any]) -> str:
    """The recipe as `xentfuzz replay` takes it; in words where it holds so many numbers that nobody would paste it."""
    line = json.dumps(recipe, separators=(",", ":"))
    return code(line) if len(line) <= LONGEST_RECIPE else recipe_words(recipe)


def agreement(document: Document) -> Lines:
    """How far each two implementations agree on the common corpus."""
    header = ["operation", "implementations", "cases", "same numbers", "largest difference/allowed"]
    rows = [
        [
            entry.operation,
            f"{entry.first}, {entry.second}",
            str(entry.cases),
            _share(entry.identical, entry.cases),
            f"{entry.worst_ratio:.3g}",
        ]
        for entry in document.agreement
    ]
    return markdown_table(header, rows, right={2, 3, 4})


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def coverage(document: Document) -> Lines:
    """What was compared, what was left out, and why."""
    lines = []
    for report in document.reports:
        lines.append(f"- {report.implementation}, {report.operation}: {coverage_words(report)}")
        lines += [f"  - unsupported: {reason} ({times})" for reason, times in reasons_left_out(report).items()]
        lines += [f"  - {rejection}" for rejection in report.card.rejections]
        lines += [f"  - {note}" for note in report.card.notes]
        lines += [f"  - assumed without a try: {', '.join(report.card.not_tried)}"] * bool(report.card.not_tried)
        lines += [f"  - cut short: {report.cut_short}"] * bool(report.cut_short)
        lines += [f"  - {note}" for note in report.notes]
    return lines + [f"- {entry.implementation}, {entry.operation}: not run: {entry.reason}" for entry in document.unavailable]


def policies(document: Document) -> Lines:
    """Which of several allowed outcomes each implementation chose, and how often."""
    rows = [
        [report.operation, policy, report.implementation, ", ".join(f"{outcome} ({times})" for outcome, times in outcomes.items())]
        for report in document.reports
        for policy, outcomes in report.policies.items()
    ]
    return markdown_table(["operation", "policy", "implementation", "chosen"], sorted(rows))
