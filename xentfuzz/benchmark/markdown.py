"""A benchmark's record as a section of a Markdown report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from xentfuzz.benchmark.records import shape_words

Row = Mapping[str, Any]

CONVENTIONS = (
    "Only results that were just verified are timed; rounds are interleaved across implementations. Median of the rounds; IQR: distance "
    "between the quartiles; first call: with compiling. GB/s: the logits read once for the loss, read and written once with the gradient, "
    "whatever is really moved; an input that fits a cache can exceed the memory's bandwidth."
)
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def benchmark_section(record: Mapping[str, Any]) -> str:
    """A table for every measure and dtype: medians with spread, speed relative to the baseline, bytes per second, share of the measured
    bandwidth; then why something has no time. Machine and versions are the document's. Ends with a newline.
    """
    lines = ["## Benchmark", "", *_introduction(record), ""]
    for measure, dtype in dict.fromkeys((row["measure"], row["dtype"]) for row in record["rows"]):
        rows = [row for row in record["rows"] if (row["measure"], row["dtype"]) == (measure, dtype)]
        lines += [f"### {measure}, {dtype}", "", *_table(rows, record["baseline"]), ""]
    lines += _reasons(record["rows"])
    return "\n".join(lines).rstrip("\n") + "\n"


def _introduction(record: Mapping[str, Any]) -> Iterable[str]:
    yield f"{record['operation']}, mean over rows, class-index targets, seed {record['seed']}. {CONVENTIONS}"
    bandwidth = record["bandwidth"]
    if bandwidth is not None:
        read, copy = bandwidth["read"] / 1e9, bandwidth["copy"] / 1e9
        yield f"Measured bandwidth ({bandwidth['threads']} threads): plain read {read:.1f} GB/s, plain copy {copy:.1f} GB/s."
    if isinstance(record["threads"], int):
        yield f"{record['threads']} threads for each implementation."
    if record.get("others") is not None:
        verdict = ": **too busy to judge**" if record["too_busy"] else ""
        yield f"Other processes used {record['others']:.1f} of the {record['cores']} cores meanwhile{verdict}."
    if record["interrupted"]:
        yield "**Interrupted**: this is a part."


def _table(rows: list[Row], baseline: str) -> Iterable[str]:
    yield f"| shape | implementation | median | IQR | rounds | speed / {baseline} | GB/s | of bandwidth | first call |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|"
    for row in rows:
        figures = _figures(row) if row["status"] == "timed" else _no_figures(row)
        yield f"| {shape_words(row)} | {row['implementation']} | {' | '.join(figures)} |"


def _figures(row: Row) -> list[str]:
    stats, share = row["stats"], row["share_of_bandwidth"]
    return [
        duration(stats["median"]),
        duration(stats["iqr"]),
        str(stats["rounds"]),
        "" if row["speed"] is None else f"{row['speed']:.2f}",
        f"{row['bytes_per_second'] / 1e9:.1f}",
        "" if share is None else f"{share:.0%}",
        duration(row["first_call_seconds"]),
    ]


def _no_figures(row: Row) -> list[str]:
    return ["FAILED" if row["status"] == "failed" else row["status"], *[""] * 6]


def _reasons(rows: Iterable[Row]) -> list[str]:
    """One line for each reason why there is no time."""
    reasons = dict.fromkeys((row["implementation"], row["status"], row["reason"]) for row in rows if row["reason"])
    return [f"- {name}: {status}: {reason}" for name, status, reason in reasons]


def duration(seconds: float) -> str:
    """Three digits and a unit: "1.23 ms"."""
    factor, unit = next(((factor, unit) for factor, unit in UNITS if seconds >= factor), UNITS[-1])
    return f"{seconds / factor:.3g} {unit}"
