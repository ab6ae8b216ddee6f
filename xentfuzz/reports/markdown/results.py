"""What a pull request needs of the results: one table of accuracy, one of speed; coverage, choices and agreement in few lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xentfuzz.benchmark.records import duration
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.failures.input_words import recipe_words
from xentfuzz.reports.coverage import coverage_words, reasons_left_out
from xentfuzz.reports.document import Document, ReportEntry
from xentfuzz.reports.grade_words import grade_words
from xentfuzz.reports.markdown.text import code, markdown_table
from xentfuzz.reports.tally import ratio_words

Lines = list[str]
Row = Mapping[str, Any]

LONGEST_RECIPE = 1000


def accuracy(document: Document) -> Lines:
    """A row for each implementation and operation: verdict, and the largest error / allowed error in each dtype."""
    header = ["implementation", "operation", "verdict", "findings", "expected", "cases", *FLOAT_NAMES, "declared grade"]
    rows = [_accuracy_row(report) for report in document.reports]
    return markdown_table(header, rows, right=set(range(3, 6 + len(FLOAT_NAMES))))


def _accuracy_row(report: ReportEntry) -> list[str]:
    expected = len(report.failures) - len(report.unexpected)
    counts = [str(len(report.unexpected)), str(expected) if expected else "", str(report.cases)]
    verdict = "passed" if report.ok else "**FAILED**"
    return [
        report.implementation,
        report.operation,
        verdict,
        *counts,
        *(_worst(report, dtype) for dtype in FLOAT_NAMES),
        grade_words(report.grade),
    ]


def _worst(report: ReportEntry, dtype: str) -> str:
    measured = [entry.worst_ratio for entry in report.checks if entry.dtype == dtype and entry.recipe is not None]
    return ratio_words(max(measured)) if measured else ""


def recipe_line(recipe: dict[str, Any]) -> str:
    """The recipe as `xentfuzz replay` takes it; in words where it holds so many numbers that nobody would paste it."""
    line = json.dumps(recipe, separators=(",", ":"))
    return code(line) if len(line) <= LONGEST_RECIPE else recipe_words(recipe)


def speed(document: Document) -> Lines:
    """A row for each input and measure, a column for each implementation: median time, and speed against the baseline."""
    if not document.benchmark or not document.benchmark["rows"]:
        return []
    rows: Sequence[Row] = document.benchmark["rows"]
    names = list(dict.fromkeys(row["implementation"] for row in rows if row["status"] in ("timed", "failed")))
    inputs = dict.fromkeys((row["measure"], row["dtype"], row["rows"], row["classes"]) for row in rows)
    found = {(row["measure"], row["dtype"], row["rows"], row["classes"], row["implementation"]): _time(row) for row in rows}
    table = [
        [f"{measure}, {dtype}", f"{count} x {classes}", *(found.get((measure, dtype, count, classes, name), "") for name in names)]
        for measure, dtype, count, classes in inputs
    ]
    header = [f"median time, and speed against {document.benchmark['baseline']}", "rows x classes", *names]
    return markdown_table(header, table, right=set(range(2, 2 + len(names)))) + _not_timed(rows, names)


def _time(row: Row) -> str:
    if row["status"] != "timed":
        return "**FAILED**" if row["status"] == "failed" else row["status"]
    times = f" ({row['speed']:.2f} x)" if row.get("speed") else ""
    return f"{duration(row['stats']['median'])}{times}"


def _not_timed(rows: Sequence[Row], names: Sequence[str]) -> Lines:
    reasons = dict.fromkeys((row["implementation"], row["reason"]) for row in rows if row["implementation"] not in names or row["reason"])
    told = [f"{name}: {reason}" for name, reason in reasons if reason]
    return ["", f"Not timed: {'; '.join(told)}."] if told else []


def coverage(document: Document) -> Lines:
    """A line for each report: what was compared, what was left out, and why."""
    lines = [f"- {report.implementation}, {report.operation}: {'; '.join(_covered(report))}" for report in document.reports]
    return lines + [f"- {entry.implementation}, {entry.operation}: not run: {entry.reason}" for entry in document.unavailable]


def _covered(report: ReportEntry) -> Iterator[str]:
    yield coverage_words(report)
    yield from (f"unsupported: {reason} ({times})" for reason, times in reasons_left_out(report).items())
    yield from (*report.card.rejections, *report.card.notes, *report.notes)
    if report.card.not_tried:
        yield f"assumed without a try: {', '.join(report.card.not_tried)}"
    if report.cut_short:
        yield f"cut short: {report.cut_short}"


def policies(document: Document) -> Lines:
    """Where implementations chose different outcomes of those that the contract allows; what all share is in one line."""
    chosen: dict[tuple[str, str], dict[str, list[str]]] = {}
    for report in document.reports:
        for policy, outcomes in report.policies.items():
            chosen.setdefault((report.operation, policy), {}).setdefault(", ".join(sorted(outcomes)), []).append(report.implementation)
    different = {key: found for key, found in chosen.items() if len(found) > 1}
    rows = [
        [operation, policy, "; ".join(f"{outcomes}: {', '.join(names)}" for outcomes, names in found.items())]
        for (operation, policy), found in sorted(different.items())
    ]
    lines = markdown_table(["operation", "where the contract leaves a choice", "chosen"], rows)
    shared = [f"{operation}: {policy}: {next(iter(found))}" for (operation, policy), found in sorted(chosen.items()) if len(found) == 1]
    return lines + [""] * bool(lines and shared) + [f"The same everywhere: {'; '.join(shared)}."] * bool(shared)


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
