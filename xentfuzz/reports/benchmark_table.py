"""The medians of a benchmark on 80 columns: a row for each input, a column for each implementation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xentfuzz.benchmark.markdown import duration
from xentfuzz.reports.lines import WIDTH, Line, table, wrapped

Row = Mapping[str, Any]

LABEL = 16
GAP = 2
# "1.23 ms 12.34x"
CELL = 14


def benchmark_lines(record: Mapping[str, Any]) -> list[Line]:
    """A table for each measure and dtype: median time, and speed relative to the baseline."""
    lines: list[Line] = []
    for measure, dtype in dict.fromkeys((row["measure"], row["dtype"]) for row in record["rows"]):
        rows = [row for row in record["rows"] if (row["measure"], row["dtype"]) == (measure, dtype)]
        lines += [*_heading(measure, dtype, rows, record["baseline"]), *_tables(rows), Line()]
    return lines


def _heading(measure: str, dtype: str, rows: Sequence[Row], baseline: str) -> list[Line]:
    """Without the baseline there is nothing that speed could be relative to."""
    speed = f", speed relative to {baseline}" if any(row.get("speed") is not None for row in rows) else ""
    return wrapped(f"{measure}, {dtype}: median time{speed}", style="bold")


def _tables(rows: Sequence[Row]) -> list[Line]:
    names = [name for name in dict.fromkeys(row["implementation"] for row in rows) if _has_figures(rows, name)]
    fitting = (WIDTH - LABEL) // (CELL + GAP)
    return [line for start in range(0, len(names), fitting) for line in _table(rows, names[start : start + fitting])]


def _has_figures(rows: Sequence[Row], name: str) -> bool:
    return any(row["implementation"] == name and row["status"] in ("timed", "failed") for row in rows)


def _table(rows: Sequence[Row], names: Sequence[str]) -> list[Line]:
    cells = {(row["rows"], row["classes"], row["implementation"]): _cell(row) for row in rows}
    shapes = dict.fromkeys((row["rows"], row["classes"]) for row in rows)
    texts = [("rows x classes", *names)]
    texts += [(f"{count} x {classes}", *(cells.get((count, classes, name), "") for name in names)) for count, classes in shapes]
    return [Line(text) for text in table(texts, right=set(range(1, len(names) + 1)), gap=GAP)]


def _cell(row: Row) -> str:
    if row["status"] != "timed":
        return "FAILED" if row["status"] == "failed" else "-"
    speed = "" if row["speed"] is None else f" {row['speed']:.2f}x"
    return f"{duration(row['stats']['median'])}{speed}"
