"""The comparison as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

from xentfuzz.power.comparison.row import BUGS, HONEST, MUTANTS, OWN, Row, Verdicts
from xentfuzz.power.comparison.table import with_all_usual

BUG_COLOURS = {True: "#1b6ca8", False: "#8a8f98"}
MUTANT_COLOURS = {True: "#9cc9e8", False: "#cfd3d8"}
ALARM_COLOUR = "#c0392b"
BAR = 0.36
# The same file for the same figures.
STEADY: dict[Any, Any] = {"svg.hashsalt": "xentfuzz", "svg.fonttype": "none"}


def to_svg(rows: Sequence[Row]) -> str:
    """Bars: shares of the bugs and mutants found; a cross: the share of honest implementations accused. Raises ImportError."""
    import matplotlib as mpl  # noqa: PLC0415 - only the plot needs it
    from matplotlib.figure import Figure  # noqa: PLC0415

    shown = with_all_usual(rows)
    with mpl.rc_context(STEADY):
        figure = Figure(figsize=(8, 0.5 * len(shown) + 1.4), layout="constrained")
        _draw(figure.add_subplot(), shown)
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _draw(axes: Any, rows: Sequence[Row]) -> None:
    places = range(len(rows))
    own = [row.kind == OWN for row in rows]
    for kind, shift, colours in ((BUGS, -BAR / 2, BUG_COLOURS), (MUTANTS, BAR / 2, MUTANT_COLOURS)):
        shares = [percentage(row.verdicts(kind)) for row in rows]
        heights = [place + shift for place in places]
        axes.barh(heights, shares, BAR, color=[colours[one] for one in own], label=f"{kind} found")
    alarms = [percentage(row.verdicts(HONEST)) for row in rows]
    axes.plot(alarms, list(places), "x", color=ALARM_COLOUR, markersize=8, markeredgewidth=2, label="honest implementations accused")
    axes.set_yticks(list(places), [row.name for row in rows])
    axes.invert_yaxis()
    axes.set_xlim(-2, 102)
    axes.set_xlabel("per cent")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def percentage(verdicts: Verdicts) -> float:
    """What was found of all in the set, NaN where nothing was measured."""
    return 100 * len(verdicts.found) / verdicts.total if verdicts.total else float("nan")
