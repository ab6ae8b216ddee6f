"""What `xentfuzz power` prints: a line for each bug, what is to be mended, and the rates."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.gallery.entry import TIERS, Entry
from xentfuzz.power.summary import FEW_LOGITS, Summary
from xentfuzz.reports.lines import Line, clipped, counted, table, wrapped

HEADER = ("entry", "tier", "found", "by", "cases", "seconds", "logits")
RIGHT = {1, 2, 4, 5, 6}
BY_WIDTH = 36


def lines_of(found: Sequence[Summary], untried: Sequence[Entry]) -> list[Line]:
    """untried: entries that only a larger profile can find."""
    faulty = [summary for summary in found if summary.entry.honest is None]
    honest = [summary for summary in found if summary.entry.honest is not None]
    return [*_bugs(faulty), *_missed(faulty), *_accused(honest), *_errors(found), *_shrunk(faulty), *_rates(faulty, honest, untried)]


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
    )


def _missed(faulty: Sequence[Summary]) -> list[Line]:
    lines = []
    for summary in faulty:
        if summary.missed and not summary.errors:
            lines += wrapped(summary.entry.mechanism, f"MISSED {summary.entry.id}: ", "    ", "red")
    return [*lines, Line()] if lines else []


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


def _shrunk(faulty: Sequence[Summary]) -> list[Line]:
    """How readable the findings are, where that was asked for."""
    shrunk = [summary for summary in faulty if summary.shrunk is not None]
    if not shrunk:
        return []
    lines = []
    for summary in shrunk:
        if not summary.small_enough:
            lines += wrapped(f"{summary.shrunk} logits, {summary.entry.smallest} would do", f"LARGE {summary.entry.id}: ", "    ", "yellow")
        for run in summary.script_faults:
            lines += wrapped(run.script_fault, f"SCRIPT {summary.entry.id} (seed {run.seed}): ", "    ", "yellow")
    small = sum(summary.small_enough for summary in shrunk)
    scripts = sum(not summary.script_faults for summary in shrunk)
    lines += wrapped(f"{small} of {len(shrunk)} have at most {FEW_LOGITS} logits, or twice what the bug needs", "shrunk cases: ")
    return [*lines, *wrapped(f"{scripts} of {len(shrunk)} show the bug alone", "scripts: "), Line()]


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
