"""Two versions of a kernel on 80 columns: what became worse first, then findings, errors, times and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from xentfuzz.benchmark.records import duration, shape_words
from xentfuzz.reports.lines import Line, counted, table, wrapped
from xentfuzz.reports.screen import Screen
from xentfuzz.reports.terminal import progress_words
from xentfuzz.runner.events import Event, FailureFound, HarnessFailed, Progress

MIB = 1 << 20
# Cases whose error grew that are shown; the record has more.
SHOWN_CASES = 5


def progress_on(screen: Screen) -> Callable[[Event], None]:
    """A listener that shows what is going on, and no results: they make sense when both versions have theirs."""

    def hear(event: Event) -> None:
        if isinstance(event, Progress | FailureFound):
            screen.progress(*progress_words(event))
        elif isinstance(event, HarnessFailed):
            screen.show(wrapped(f"{event.error.doing}: {event.error.error}", first="ERROR OF XENTFUZZ: ", rest="  ", style="bold red"))

    return hear


def version_lines(record: Mapping[str, Any]) -> list[Line]:
    """Of a record of `compare_versions`."""
    lines = [*_verdict(record), *_findings(record), *_errors(record), *_times(record), *_memory(record)]
    return [*lines, Line("INTERRUPTED: what was left is missing", "bold yellow")] if record["interrupted"] else lines


def _verdict(record: Mapping[str, Any]) -> Iterator[Line]:
    if record.get("too_busy"):
        yield from wrapped(
            "other processes used the machine: no difference of times counts", first="TOO BUSY TO JUDGE: ", style="bold yellow"
        )
    if not record["worse"]:
        yield Line("NOTHING BECAME WORSE", "bold green")
    for words in record["worse"]:
        yield from wrapped(words, first="WORSE: ", rest="  ", style="bold red")
    yield Line()


def _findings(record: Mapping[str, Any]) -> Iterator[Line]:
    found = record["findings"]
    yield Line(f"findings: {len(found['new'])} new, {len(found['gone'])} gone, {found['both']} in both", "bold")
    for name in ("new", "gone"):
        for one in found[name]:
            text = f"{one['check']} ({one['kind']}), {one['dtype']}: {one['message'].partition(chr(10))[0]}"
            yield from wrapped(text, first=f"  {name}: ", rest="    ")
    for name in ("no_longer_taken", "newly_taken"):
        if record[name]:
            yield from wrapped(", ".join(record[name]), first=f"  {name.replace('_', ' ')}: ", rest="    ")
    yield Line()


def _errors(record: Mapping[str, Any]) -> Iterator[Line]:
    rows = record.get("errors", ())
    if not rows:
        return
    yield Line("error / allowed error on the same cases", "bold")
    texts: list[tuple[str, ...]] = [("function", "dtype", "cases", "grew by half", "shrank so", "p", "worst, old", "new")]
    for row in rows:
        worst = (f"{float(row[name]):.3g}" for name in ("old_worst", "new_worst"))
        texts.append((row["function"], row["dtype"], *(str(row[name]) for name in ("cases", "grown", "shrunk")), f"{row['p']:.2g}", *worst))
    yield from (Line(text) for text in table(texts, right={2, 3, 4, 5, 6, 7}))
    for case in record["grown"][:SHOWN_CASES]:
        ratios = f"{float(case['old']):.3g} -> {float(case['new']):.3g}"
        recipe = case["recipe"]
        yield Line(f"  {case['function']}, {recipe['dtype']}, {' x '.join(map(str, recipe['shape']))}: {ratios}")
    left = len(record["grown"]) - SHOWN_CASES
    if left > 0:
        yield Line(f"  and {counted(left, 'more case')}; --json FILE has their recipes")
    yield Line()


def _times(record: Mapping[str, Any]) -> Iterator[Line]:
    changes = record.get("times", ())
    if not changes:
        return
    threads = counted(record["threads"], "thread")
    yield Line(f"times, {threads}", "bold")
    texts: list[tuple[str, ...]] = [("shape", "measure, dtype", "old", "new", "longer", "p", "")]
    for change in changes:
        words = ("slower" if change["percent"] > 0 else "faster") if change["counts"] else "noise"
        what = (shape_words(change), f"{change['measure']}, {change['dtype']}", duration(change["old"]), duration(change["new"]))
        texts.append((*what, f"{change['percent']:+.0f} %", f"{change['p']:.1g}", words))
    yield from (Line(text) for text in table(texts, right={2, 3, 4, 5}))
    yield Line()


def _memory(record: Mapping[str, Any]) -> Iterator[Line]:
    rows = record.get("memory", ())
    if not rows:
        return
    yield Line("peak memory of a call, beyond its arguments, in MiB", "bold")
    texts: list[tuple[str, ...]] = [("shape", "measure, dtype", "old", "new")]
    for row in rows:
        figures = (f"{row[name] / MIB:.1f}" for name in ("old", "new"))
        texts.append((shape_words(row), f"{row['measure']}, {row['dtype']}", *figures))
    yield from (Line(text) for text in table(texts, right={2, 3}))
    yield Line()
