"""Accuracy: the worst error of each implementation by dtype, as a map and as numbers; agreement; policies."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.reports.document import CheckEntry, Document, ReportEntry
from xentfuzz.reports.grade_words import grade_for, stricter_grade_for
from xentfuzz.reports.html import errors
from xentfuzz.reports.html.elements import Cell, Figure, Section, Table
from xentfuzz.reports.html.matrix import evidence_anchor
from xentfuzz.reports.html.plots import heat_map
from xentfuzz.reports.tally import ratio_words, ulp_words


def section(document: Document) -> Section:
    worst = [(report, entry) for report in document.reports for entry in _worst_by_dtype(report)]
    if not worst:
        return Section("accuracy", "Accuracy")
    maps = errors.maps(document)
    alone = len(document.reports) == 1
    return Section(
        "accuracy",
        "Accuracy",
        "Error divided by what the declared grade allows for that element, at worst: up to 1 is right. In float16 and bfloat16 a value "
        "near 1 is the rounding of the result itself.",
        figures=[_map(worst), *errors.distribution(document)],
        tables=[table for _, tables in maps for table in tables] if alone else (),
        folded=() if alone else maps,
    )


def _worst_by_dtype(report: ReportEntry) -> list[CheckEntry]:
    measured = [entry for entry in report.checks if entry.recipe is not None and entry.worst_ratio > 0]
    groups = [[entry for entry in measured if entry.dtype == dtype] for dtype in FLOAT_NAMES]
    return [max(group, key=lambda entry: entry.worst_ratio) for group in groups if group]


def _map(worst: Sequence[tuple[ReportEntry, CheckEntry]]) -> Figure:
    names = list(dict.fromkeys(_name(report) for report, _ in worst))
    values = {(_name(report), entry.dtype): entry.worst_ratio for report, entry in worst}
    largest = max(worst, key=lambda pair: pair[1].worst_ratio)
    return Figure(
        "Worst error / allowed error",
        f"Heat map of {len(names)} implementations and operations by dtype; the largest value is {ratio_words(largest[1].worst_ratio)}, of "
        f"{_name(largest[0])} in {largest[1].dtype}.",
        heat_map(names, FLOAT_NAMES, values),
        Table(
            "Worst error by implementation, operation and dtype",
            ["implementation", "operation", "dtype", "declared grade", "could declare", "error / allowed", "ulp", "check"],
            [_row(report, entry) for report, entry in worst],
            right=frozenset({5, 6}),
        ),
    )


def _name(report: ReportEntry) -> str:
    return f"{report.implementation}, {report.operation}"


def _row(report: ReportEntry, entry: CheckEntry) -> list[Cell | str]:
    return [
        report.implementation,
        report.operation,
        entry.dtype,
        grade_for(report.grade, entry.dtype),
        stricter_grade_for(report.stricter_grade, entry.dtype),
        Cell(ratio_words(entry.worst_ratio), "failed" if entry.worst_ratio > 1 else ""),
        ulp_words(entry.worst_ulp),
        Cell(entry.check, link=evidence_anchor(report, entry.check)),
    ]


def agreement(document: Document) -> Section:
    """How often each two implementations gave the same numbers. No verdict: the exact result is."""
    rows = [
        [
            entry.operation,
            f"{entry.first}, {entry.second}",
            str(entry.cases),
            f"{100 * entry.identical / entry.cases:.0f} %" if entry.cases else "",
            ratio_words(entry.worst_ratio),
        ]
        for entry in document.agreement
    ]
    header = ["operation", "implementations", "cases", "same numbers", "largest difference / allowed"]
    tables = [Table("Pairs of implementations on the same cases", header, rows, right=frozenset({2, 3, 4}))] if rows else []
    return Section("agreement", "Agreement", "No verdict: the exact result is.", tables=tables)
