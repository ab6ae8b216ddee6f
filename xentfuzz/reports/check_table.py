"""The checks of one report as a table: status, cases, unsupported cases, the worst error; what was not checked, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.reports.document import ReportEntry
from xentfuzz.reports.lines import Line, columns, squeezed, table, wrapped
from xentfuzz.reports.tally import ELSEWHERE, STATUS_STYLES, STATUS_WORDS, Tally, tallies, ulp_words

# Beyond so many rows, checks that passed and measure no error share one paragraph.
ROWS = 14
# What the other columns leave of a line of 80, and of a narrow one, which has no room for the numbers of cases.
NAME, NARROW_NAME = 34, 16
NARROW = 70
# The rest of a long figure stands in the finding.
ERROR = 18
HEADER = ("check", "status", "cases", "left out", "error/allowed")
COUNTS = (2, 3)


def check_lines(report: ReportEntry) -> list[Line]:
    """A row for each check that was run, in the report's order; below it the others."""
    rows = tallies(report)
    tried = [row for row in rows if row.status not in ("unsupported", "not_run")]
    quiet = [row for row in tried if len(tried) > ROWS and row.status == "passed" and not row.worst.worst_ratio]
    lines = _table([row for row in tried if row not in quiet], report.card.dtypes)
    if quiet:
        lines += wrapped(f"also passed: {', '.join(row.check for row in quiet)}", rest="  ")
    return lines + _not_checked([row for row in rows if row not in tried], report.card.dtypes)


def _table(rows: Sequence[Tally], dtypes: Sequence[str]) -> list[Line]:
    header, *texts = _aligned([HEADER, *map(_cells, rows)])
    lines = [Line(header, "bold")]
    for row, text in zip(rows, texts, strict=True):
        remark = row.remark(dtypes)
        whole = f"{text:<{len(header)}}  {remark}" if remark else text
        shown = [whole] if len(whole) <= columns() else [text, f"  {remark}"]
        lines += [Line(line, STATUS_STYLES[row.status]) for line in shown]
    return lines


def _aligned(cells: Sequence[tuple[str, ...]]) -> list[str]:
    if columns() >= NARROW:
        return table(cells, right=COUNTS)
    kept = [index for index in range(1, len(HEADER)) if index not in COUNTS]
    return table([(squeezed(row[0], NARROW_NAME), *(row[index] for index in kept)) for row in cells])


def _cells(row: Tally) -> tuple[str, ...]:
    worst = row.worst
    # Of a check that failed, an error that is allowed says nothing.
    measured = worst.worst_ratio > (1 if row.status == "failed" else 0)
    ratio, ulp = f"{worst.worst_ratio:.3g}", ulp_words(worst.worst_ulp, " ({})")
    error = (ratio + ulp if len(ratio + ulp) <= ERROR and columns() >= NARROW else ratio) if measured else ""
    return (squeezed(row.check, NAME), STATUS_WORDS[row.status], str(row.cases), str(row.unsupported), error)


def _not_checked(rows: Sequence[Tally], dtypes: Sequence[str]) -> list[Line]:
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        by_reason.setdefault(_reason(row, dtypes), []).append(row.check)
    return [line for reason, checks in by_reason.items() for line in wrapped(f"not checked: {', '.join(checks)} ({reason})", rest="  ")]


def _reason(row: Tally, dtypes: Sequence[str]) -> str:
    """That of a dtype which the implementation takes, and in which the check is tried."""
    reasons = [entry.reason for entry in row.entries if entry.dtype in dtypes] or [row.entries[0].reason]
    return next((reason for reason in reasons if not reason.startswith(ELSEWHERE)), reasons[0])
