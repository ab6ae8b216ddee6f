"""The comparison as a Markdown page."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.gallery.entry import TIERS
from xentfuzz.power.comparison.row import BUGS, Row, together
from xentfuzz.power.comparison.table import figures, tiers

NOTES = """\
*Found* is a difference from what the way takes for right, a result of another shape, an exception, a crash, or no answer in time. The
figures of the usual ways are those of one set of inputs with fixed seeds. *Cases* counts the comparisons that an honest implementation goes
through, *seconds* what they take (median, one core; without making the inputs).

*Dropped* cases are left out of a way's figures, because the plainest right implementation fails them (torch rounds its own results, and a
tolerance may be below one rounding): nobody keeps a test that right code fails. *Accused by dropped cases* is how many honest
implementations they accuse.

Where a suite is *re-created*, its generator, shapes, options and tolerances were written anew from its tests; torch on a CPU is the
reference. What it asks of a fused layer, a device or a compiler is left out. To stay within seconds, rows are cut (never classes); the
absolute tolerance of a mean's gradient grows by the same factor, so that it stands to the gradient as in the suite. What an implementation
declares not to take is not asked of it; what has no case left is *not tried*."""


def to_page(rows: Sequence[Row], command: str) -> str:
    """command: what writes this page again."""
    return "\n".join(
        [
            "# What other ways of checking find",
            "",
            "The same implementations for all: the gallery's bugs, mechanical mutants of the honest implementations, and the honest",
            "implementations themselves, which must not be accused.",
            "",
            *_table(figures(rows)),
            "",
            "![Share of the bugs found by each way of checking](plot.svg)",
            "",
            NOTES,
            "",
            "## By tier",
            "",
            *(f"- tier {tier}: {words}" for tier, words in TIERS.items()),
            "",
            *_table(tiers(rows)),
            "",
            *_unfound(rows),
            "## The ways",
            "",
            *_table([("way of checking", "what it compares", "source"), *((row.name, row.about, row.source) for row in rows)]),
            "",
            "## Writing this page again",
            "",
            f"`{command}` writes this page, the plot and `comparison.json` from stored results. `comparison.json` names every",
            "implementation that a way found, missed or accused.",
            "",
        ]
    )


def _unfound(rows: Sequence[Row]) -> list[str]:
    missed = together(rows).verdicts(BUGS).missed
    return [f"None of the usual ways finds: {', '.join(missed)}.", ""] if missed else []


def _table(lines: Sequence[Sequence[str]]) -> list[str]:
    header, *rest = lines
    return [_cells(header), _cells(["---"] * len(header)), *(_cells(line) for line in rest)]


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
