"""A benchmark on 80 columns: how far it can be trusted, a row for each input and implementation, and what the columns mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xentfuzz.benchmark.growth import place_on
from xentfuzz.benchmark.records import duration, shape_words
from xentfuzz.reports.lines import Line, labelled, squeezed, table, wrapped

Row = Mapping[str, Any]

# Of the columns for names: more would push the figures over the edge.
NAME_WIDTH = 22
LABEL_WIDTH = 10
MIB = 1 << 20
# Rounds that differ by more than this have been disturbed.
WIDE_SPREAD = 0.25
# What fits beside the names of how cost grows.
GROWTH_PLACES = 5


def benchmark_lines(record: Mapping[str, Any]) -> list[Line]:
    """First whether the machine was fit for it, then a table for each measure and dtype, then what else there is to know."""
    rows = record["rows"]
    lines = [*_warnings(record)]
    for measure, dtype in dict.fromkeys((row["measure"], row["dtype"]) for row in rows):
        lines += _table(record, [row for row in rows if (row["measure"], row["dtype"]) == (measure, dtype)])
    return [
        *lines,
        *_reasons(rows),
        *_memory(record),
        *_growth(record),
        *_compared(record),
        *(_legend(record) if any(map(_is_timed, rows)) else ()),
    ]


def _is_timed(row: Row) -> bool:
    return bool(row["status"] == "timed")


def _warnings(record: Mapping[str, Any]) -> Iterator[Line]:
    if record.get("too_busy"):
        text = (
            f"other processes used {record['others']:.1f} of the {record['cores']} cores meanwhile. These times are no basis for a "
            "judgement; stop what runs beside it and time again."
        )
        yield from wrapped(text, first="TOO BUSY TO JUDGE: ", rest="  ", style="bold yellow")
        yield Line()


def _table(record: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[Line]:
    shown = [row for row in rows if row["status"] in ("timed", "failed")]
    if not shown:
        return
    relative = any(row.get("speed") is not None for row in shown)
    yield Line(f"{shown[0]['measure']}, {shown[0]['dtype']}, {_threads(record)}", "bold")
    texts: list[tuple[str, ...]] = [("shape", "implementation", "median", "spread", "speed", "of roof", "first call")]
    previous = None
    for row in shown:
        shape = shape_words(row)
        texts.append(("" if shape == previous else shape, squeezed(row["implementation"], NAME_WIDTH), *_cells(row)))
        previous = shape
    kept = [index for index in range(len(texts[0])) if relative or texts[0][index] != "speed"]
    yield from (Line(text) for text in table([[text[index] for index in kept] for text in texts], right={2, 3, 4, 5, 6}))
    yield Line()


def _threads(record: Mapping[str, Any]) -> str:
    threads = record.get("threads")
    return "" if not threads else f"{threads} thread{'' if threads == 1 else 's'}"


def _cells(row: Row) -> tuple[str, ...]:
    if row["status"] == "failed":
        return ("FAILED", "", "", "", "")
    stats, speed, share = row["stats"], row["speed"], row.get("share_of_roof")
    spread = stats["iqr"] / stats["median"]
    return (
        duration(stats["median"]),
        f"{spread:.0%}{'!' if spread > WIDE_SPREAD else ''}",
        "" if speed is None else f"{speed:.2f}x",
        "ABOVE" if row.get("impossible") else "" if share is None else f"{share:.0%}",
        duration(row["first_call_seconds"]),
    )


def _reasons(rows: Sequence[Row]) -> Iterator[Line]:
    """One line for each reason why there is no time, or why one can't be true."""
    for row in rows:
        if row.get("impossible"):
            work = "sum that many exponentials" if row["roof_limit"] == "exp" else "move these bytes"
            text = (
                f"{row['implementation']}, {row['measure']}, {shape_words(row)}: {duration(row['stats']['median'])}, where this machine "
                f"needs {duration(row['roof_seconds'])} to {work}. The measurement is wrong, or the implementation did not do the work "
                "in that time."
            )
            yield from wrapped(text, first="IMPOSSIBLE: ", rest="  ", style="bold red")
    without = [row for row in rows if row["reason"]]
    for name, status, reason in dict.fromkeys((row["implementation"], row["status"], row["reason"]) for row in without):
        where = [
            f"{row['measure']} {row['dtype']} {shape_words(row)}"
            for row in without
            if (row["implementation"], row["reason"]) == (name, reason)
        ]
        more = f" ({where[0]}{f' and {len(where) - 1} more' if len(where) > 1 else ''})" if status == "failed" else ""
        first = "FAILED: " if status == "failed" else "not timed: "
        yield from wrapped(f"{name}: {reason}{more}", first=first, rest="  ", style="red" if status == "failed" else "")
    if any(row["reason"] or row.get("impossible") for row in rows):
        yield Line()


def _memory(record: Mapping[str, Any]) -> Iterator[Line]:
    rows = record.get("memory") or []
    if not rows:
        return
    yield Line("peak memory of a call, beyond its arguments", "bold")
    texts = [("shape", "implementation", "measure, dtype", "MiB", "x input")]
    for row in rows:
        rise = row["rise"]
        figures = (row["reason"][:18], "") if rise is None else (f"{rise / MIB:.1f}", f"{rise / _input_bytes(row):.2f}")
        texts.append((shape_words(row), squeezed(row["implementation"], NAME_WIDTH), f"{row['measure']}, {row['dtype']}", *figures))
    yield from (Line(text) for text in table(texts, right={3, 4}))
    yield Line()


def _growth(record: Mapping[str, Any]) -> Iterator[Line]:
    """For each axis and measure how long each implementation takes at each place; of many places, the last ones."""
    for axis, points in (record.get("growth") or {}).items():
        for measure in dict.fromkeys(point["measure"] for point in points):
            group = [point for point in points if point["measure"] == measure]
            places = sorted({place_on(axis, point) for point in group})[-GROWTH_PLACES:]
            yield Line(f"{measure} as the {axis} grow, {group[0]['dtype']}", "bold")
            texts: list[tuple[str, ...]] = [(axis, *map(str, places))]
            for name in dict.fromkeys(point["implementation"] for point in group):
                times = {place_on(axis, point): duration(point["median"]) for point in group if point["implementation"] == name}
                texts.append((squeezed(name, NAME_WIDTH), *(times.get(place, "") for place in places)))
            yield from (Line(text) for text in table(texts, right=set(range(1, 1 + len(places)))))
            yield Line()


def _compared(record: Mapping[str, Any]) -> Iterator[Line]:
    found = record.get("compared")
    if found is None:
        return
    yield Line("against the baseline", "bold")
    if not found["changes"]:
        yield from wrapped("it holds no time of anything that was timed now")
    for change in sorted(found["changes"], key=lambda each: -each["percent"]):
        if change["counts"]:
            worse = change["percent"] > 0
            what = f"{change['implementation']}, {change['measure']}, {change['dtype']}, {shape_words(change)}"
            text = f"{what}: {duration(change['old'])} -> {duration(change['new'])} ({change['percent']:+.0f} %, p = {change['p']:.1g})"
            yield from wrapped(text, first="SLOWER: " if worse else "faster: ", rest="  ", style="red" if worse else "green")
    noise = sum(not change["counts"] for change in found["changes"])
    if not found["judged"]:
        yield from wrapped("one of the two runs was on a machine too busy to judge: no difference counts", style="yellow")
    elif noise:
        yield from wrapped(f"{noise} of {len(found['changes'])} times differ by no more than the noise")
    yield from wrapped(f"the machine itself (read, copy, exponentials) differs by {found['drift']:.0%} between the two runs")
    yield Line()


def _input_bytes(row: Row) -> int:
    from xentfuzz.benchmark.inputs import Point  # noqa: PLC0415

    return Point(row["operation"], row["dtype"], tuple(row["shape"])).nbytes


def _legend(record: Mapping[str, Any]) -> Iterator[Line]:
    floors = [row["floor_seconds"] for row in record["rows"] if row.get("floor_seconds") is not None]
    words = {
        "median": "of the rounds, which take turns between implementations; only results that had just been verified are timed",
        "spread": f"distance between the quartiles / median; above {WIDE_SPREAD:.0%} (!) the rounds were disturbed",
        "speed": f"times as fast as {record['baseline']}",
        "of roof": "share of the speed that this machine allows: the slower of a plain read of the input (with a gradient: a copy) and "
        "a bare loop of its exponentials (with a gradient: twice)",
        "first call": "the first one alone, with whatever is compiled",
    }
    if any(rate is None for rate in record.get("exponentials", {}).values()):
        words["of roof"] += "; of memory alone here, as Numba, which compiles the loop, is missing: pip install 'xentfuzz[numba]'"
    if not any(row.get("speed") is not None for row in record["rows"]):
        del words["speed"]
    if floors:
        words["floor"] = (
            f"an empty call through the same path takes {duration(min(floors))} to {duration(max(floors))}, and is in each time"
        )
    for label, text in words.items():
        yield from labelled(label, text, LABEL_WIDTH + 2)
