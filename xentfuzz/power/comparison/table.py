"""The table as rows of text, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.gallery.catalogue import entry
from xentfuzz.gallery.entry import TIERS
from xentfuzz.power.comparison.row import BUGS, EQUIVALENT, HONEST, MUTANTS, USUAL, Row, Verdicts, together

HEADER = (
    "way of checking",
    "bugs found",
    "mutants found",
    "honest accused",
    "equivalent mutants accused",
    "accused by dropped cases",
    "cases",
    "dropped",
    "seconds",
)
# What fits on 80 columns.
SHORT_HEADER = ("way of checking", "bugs", "mutants", "honest", "equivalent", "cases", "seconds")
NOT_MEASURED = "-"


def with_all_usual(rows: Sequence[Row]) -> list[Row]:
    """The usual ways, what they find together, then the others."""
    usual, others = [row for row in rows if row.kind == USUAL], [row for row in rows if row.kind != USUAL]
    return [*usual, *([together(usual)] if len(usual) > 1 else []), *others]


def figures(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """HEADER, and a line for each row."""
    return [HEADER, *(_line(row) for row in with_all_usual(rows))]


def short_figures(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """SHORT_HEADER, and a line for each row: what was found of how many."""
    return [SHORT_HEADER, *(_short_line(row) for row in with_all_usual(rows))]


def tiers(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Bugs found by tier: a header, and a line for each row."""
    return [("way of checking", *(f"tier {tier}" for tier in TIERS)), *(_tiers(row) for row in with_all_usual(rows))]


def _line(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        share(row.verdicts(BUGS)),
        share(row.verdicts(MUTANTS)),
        share(row.verdicts(HONEST)),
        share(row.verdicts(EQUIVALENT)),
        str(len(row.verdicts(HONEST).dropped)) if row.dropped else "",
        str(row.cases),
        str(row.dropped) if row.dropped else "",
        f"{row.seconds:.2f}",
    )


def _short_line(row: Row) -> tuple[str, ...]:
    verdicts = [row.verdicts(name) for name in (BUGS, MUTANTS, HONEST, EQUIVALENT)]
    shares = [f"{len(one.found)}/{one.total}" if one.total else NOT_MEASURED for one in verdicts]
    return (row.name, *shares, str(row.cases), f"{row.seconds:.2f}")


def share(verdicts: Verdicts) -> str:
    """Such as "30 of 93 (2 not tried)"."""
    if not verdicts.total:
        return NOT_MEASURED
    untried = f" ({len(verdicts.untried)} not tried)" if verdicts.untried else ""
    return f"{len(verdicts.found)} of {verdicts.total}{untried}"


def _tiers(row: Row) -> tuple[str, ...]:
    verdicts = row.verdicts(BUGS)
    return (row.name, *(share(_of_tier(verdicts, tier)) for tier in TIERS))


def _of_tier(verdicts: Verdicts, tier: int) -> Verdicts:
    parts = (verdicts.found, verdicts.missed, verdicts.untried)
    return Verdicts(*([name for name in part if entry(name).tier == tier] for part in parts))
