"""What `xentfuzz power` prints: a line for each bug, the honest implementations that were accused, and the rates."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.gallery.entry import TIERS, Entry
from xentfuzz.power.summary import Summary
from xentfuzz.reports.lines import Line, clipped, counted, table, wrapped

HEADER = ("entry", "tier", "found", "by", "cases", "seconds", "logits", "bug")
RIGHT = {1, 2, 4, 5, 6}
BY_WIDTH, BUG_WIDTH = 24, 60


def lines_of(found: Sequence[Summary], untried: Sequence[Entry]) -> list[Line]:
    """untried: entries that only a larger profile can find."""
    faulty = [summary for summary in found if summary.entry.honest is None]
    honest = [summary for summary in found if summary.entry.honest is not None]
    return [*_bugs(faulty), *_accused(honest), *_errors(found), *_rates(faulty, honest, untried)]


def _bugs(faulty: Sequence[Summary]) -> list[Line]:
    if not faulty:
        return []
    header, *rows = table([HEADER, *(_row(summary) for summary in faulty)], RIGHT)
    styles = ["red" if summary.missed else "" for summary in faulty]
    return [Line(header, "bold"), *(Line(row, style) for row, style in zip(rows, styles, strict=True)), Line()]


def _row(summary: Summary) -> tuple[str, ...]:
    cases, seconds = summary.middle_and_worst("cases"), summary.middle_and_worst("seconds")
    return (
        summary.entry.id,
        str(summary.entry.tier),
        f"{len(summary.found)}/{len(summary.runs)}",
        clipped(summary.by, BY_WIDTH) or ("error" if summary.errors else "missed"),
        f"{cases[0]:.0f}/{cases[1]:.0f}",
        f"{seconds[0]:.1f}/{seconds[1]:.1f}",
        "" if summary.shrunk is None else str(summary.shrunk),
        clipped(summary.entry.mechanism, BUG_WIDTH),
    )


def _accused(honest: Sequence[Summary]) -> list[Line]:
    lines = []
    for summary in honest:
        for run in summary.found:
            lines += wrapped(f"{summary.entry.mechanism}: {run.headline}", f"ACCUSED {summary.entry.id} (seed {run.seed}): ", "    ", "red")
    return [*lines, Line()] if lines else []


def _errors(found: Sequence[Summary]) -> list[Line]:
    lines = []
    for summary in found:
        for run in summary.errors:
            lines += wrapped(run.error, f"ERROR {summary.entry.id} (seed {run.seed}): ", "    ", "red")
    return [*lines, Line()] if lines else []


def _rates(faulty: Sequence[Summary], honest: Sequence[Summary], untried: Sequence[Entry]) -> list[Line]:
    lines = []
    for tier, words in TIERS.items():
        of_tier = [summary for summary in faulty if summary.entry.tier == tier]
        if of_tier:
            caught = sum(not summary.missed for summary in of_tier)
            lines += wrapped(f"{caught} of {len(of_tier)} ({words})", f"tier {tier}: ")
    if faulty:
        caught = sum(not summary.missed for summary in faulty)
        lines.append(Line(f"found {caught} of {counted(len(faulty), 'bug')} (median/worst of cases and seconds over the seeds)", "bold"))
    if honest:
        accused = sum(summary.accused for summary in honest)
        lines.append(Line(f"accused {accused} of {counted(len(honest), 'honest implementation')}", "bold"))
    if untried:
        lines += wrapped(", ".join(entry.id for entry in untried), "only the thorough profile can find: ")
    return lines
