"""How large the errors were: by kind of numbers and dtype as a coloured table, and how they are distributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.reports.document import Document, ReportEntry
from xentfuzz.reports.glossary import REGIMES
from xentfuzz.reports.html.elements import Cell, Figure, Table
from xentfuzz.reports.html.plots import histogram
from xentfuzz.reports.tally import ratio_words, ulp_words
from xentfuzz.runner.measured import EDGES

# How many shades errors up to the allowed one are told apart by.
SHADES = 6
BUCKETS = (*(f"to {f'1/{round(1 / edge)}' if edge < 0.5 else f'{edge:g}'}" for edge in EDGES), "more")

Row = Mapping[str, Any]


def maps(document: Document) -> list[tuple[str, Sequence[Table]]]:
    """(title, heat map) of each report that measured an error."""
    return [(f"{_name(report)}: errors by kind of numbers", [_map(report)]) for report in document.reports if _rows(report)]


def distribution(document: Document) -> list[Figure]:
    """How errors / allowed errors are distributed: of several implementations, each over all its dtypes; of one, each dtype."""
    counts = _counts(document)
    if not counts:
        return []
    shares = {name: [number / sum(spread) for number in spread] for name, spread in counts.items()}
    beyond = sum(spread[-1] for spread in counts.values())
    total = sum(map(sum, counts.values()))
    return [
        Figure(
            "Distribution of error / allowed error",
            f"Of {total:,} comparisons with an error, {beyond:,} exceed what is allowed; those without any are not drawn. The search for "
            "larger errors is among them.",
            histogram(BUCKETS, shares, "error / allowed error", "share of comparisons"),
            Table(
                "Comparisons by error / allowed error",
                ["", *BUCKETS],
                [[name, *(f"{number:,}" for number in spread)] for name, spread in counts.items()],
                right=frozenset(range(1, len(BUCKETS) + 1)),
            ),
        )
    ]


def _rows(report: ReportEntry) -> Sequence[Row]:
    rows: Sequence[Row] = report.measured.get("errors", ())
    return rows


def _name(report: ReportEntry) -> str:
    return f"{report.implementation}, {report.operation}"


def _counts(document: Document) -> dict[str, list[int]]:
    several = len({report.implementation for report in document.reports}) > 1
    counts: dict[str, list[int]] = {}
    for report in document.reports:
        for row in sorted(_rows(report), key=lambda row: FLOAT_NAMES.index(row["dtype"])):
            name = report.implementation if several else row["dtype"]
            before = counts.get(name, [0] * len(BUCKETS))
            counts[name] = [a + b for a, b in zip(before, row["spread"], strict=True)]
    return counts


def _map(report: ReportEntry) -> Table:
    rows = _rows(report)
    dtypes = [dtype for dtype in FLOAT_NAMES if any(row["dtype"] == dtype for row in rows)]
    found = {(row["regime"], row["dtype"]): row for row in rows}
    worst = {
        regime: max(float(row["ratio"]) for row in rows if row["regime"] == regime)
        for regime in dict.fromkeys(row["regime"] for row in rows)
    }
    lines: list[list[Cell | str]] = [
        [
            regime,
            *(cell for dtype in dtypes for cell in _cells(found.get((regime, dtype)))),
            REGIMES.get(regime, "Numbers chosen one by one, or recorded."),
        ]
        for regime in sorted(worst, key=lambda regime: -worst[regime])
    ]
    return Table(
        f"{_name(report)}: the largest error / allowed error, and the same error in ulp",
        ["kind of numbers", *(title for dtype in dtypes for title in (dtype, "ulp")), "what it is"],
        lines,
        right=frozenset(range(1, 2 * len(dtypes) + 1)),
    )


def _cells(row: Row | None) -> list[Cell]:
    if row is None:
        return [Cell(""), Cell("")]
    ratio = float(row["ratio"])
    shade = "wrong" if ratio > 1 else f"shade-{min(int(ratio * SHADES), SHADES - 1)}"
    return [Cell(ratio_words(ratio), shade), Cell(ulp_words(float(row["ulp"])).removesuffix(" ulp"))]
