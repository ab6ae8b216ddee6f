"""Speed: throughput over the class count with the roof, speed-up over the baseline, and every time with its spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xentfuzz.benchmark.records import duration, shape_words
from xentfuzz.reports.document import Document, ReportEntry
from xentfuzz.reports.html.elements import Cell, Figure, Section, Table
from xentfuzz.reports.html.growth import growth_figures
from xentfuzz.reports.html.plots import Colours, Point, bar_plot, line_plot, scatter_plot
from xentfuzz.reports.tally import worst_entry

Row = Mapping[str, Any]

MIB = 1 << 20


def section(document: Document) -> Section:
    record = document.benchmark
    if not record or not record["rows"]:
        return Section("speed", "Speed")
    timed = [row for row in record["rows"] if row["status"] == "timed"]
    return Section(
        "speed",
        "Speed",
        _note(record),
        figures=[
            *_throughput(timed, record),
            *_times_over_classes(timed, record),
            *growth_figures(record, _colours(record)),
            *_speed_up(timed, record),
            *_accuracy_and_speed(timed, document),
        ],
        tables=[*_changes(record)],
        folded=[*_memory(record), ("All times", [_times(record)])],
    )


def _note(record: Row) -> str:
    note = (
        f"{record['operation']}, mean over rows, class indices. Medians of interleaved rounds, only of results that had just been verified."
    )
    if record.get("load"):
        note += f" Load average in the minute before: {record['load']:.1f}."
    return note


def _colours(record: Row) -> Colours:
    return {name: number for number, name in enumerate(dict.fromkeys(row["implementation"] for row in record.get("rows", ())))}


def _groups(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    for measure, dtype in dict.fromkeys((row["measure"], row["dtype"]) for row in rows):
        yield f"{measure}, {dtype}", [row for row in rows if (row["measure"], row["dtype"]) == (measure, dtype)]


def _throughput(timed: Sequence[Row], record: Row) -> Iterator[Figure]:
    for name, rows in _groups(timed):
        series = {
            implementation: sorted(
                (_throughput_point(row) for row in rows if row["implementation"] == implementation), key=lambda point: point.x
            )
            for implementation in dict.fromkeys(row["implementation"] for row in rows)
        }
        fastest = max(rows, key=lambda row: row["bytes_per_second"])
        yield Figure(
            f"Throughput: {name}",
            f"Gigabytes a second over the number of classes; the highest is {fastest['bytes_per_second'] / 1e9:.3g} GB/s, of "
            f"{fastest['implementation']} at {fastest['classes']} classes.",
            line_plot(series, "classes", "GB/s", _roofs(record, rows[0]["measure"]), _colours(record)),
            Table(
                f"Throughput in GB/s: {name}",
                ["shape", *series],
                _by_shape(rows, lambda row: f"{row['bytes_per_second'] / 1e9:.3g}"),
                right=frozenset(range(1, len(series) + 1)),
            ),
        )


def _times_over_classes(timed: Sequence[Row], record: Row) -> Iterator[Figure]:
    """One plot where each class count was timed with one number of rows, as with inputs of one size; else one for each number of rows."""
    for name, rows in _groups([row for row in timed if len(row["shape"]) == 2]):
        shapes = {(row["rows"], row["classes"]) for row in rows}
        classes = {count for _, count in shapes}
        if len(classes) == len(shapes) > 1:
            yield _time_figure(f"Time: {name}", rows, _colours(record))
            continue
        for count in sorted({each for each, _ in shapes}):
            part = [row for row in rows if row["rows"] == count]
            if len({row["classes"] for row in part}) > 1:
                yield _time_figure(f"Time: {name}, {count} rows", part, _colours(record))


def _time_figure(title: str, rows: Sequence[Row], colours: Colours) -> Figure:
    series = {
        implementation: sorted((_time_point(row) for row in rows if row["implementation"] == implementation), key=lambda point: point.x)
        for implementation in dict.fromkeys(row["implementation"] for row in rows)
    }
    roof = {row["classes"]: row["roof_seconds"] * 1e3 for row in rows if row.get("roof_seconds")}
    if roof:
        series["this machine's roof"] = [Point(classes, time) for classes, time in sorted(roof.items())]
    largest = max(row["classes"] for row in rows)
    fastest = min((row for row in rows if row["classes"] == largest), key=lambda row: row["stats"]["median"])
    return Figure(
        title,
        f"Median milliseconds over the number of classes, with the quartiles; at {largest} classes {fastest['implementation']} is the "
        f"fastest, with {duration(fastest['stats']['median'])}.",
        line_plot(series, "classes", "ms", colours=colours),
        Table(
            title,
            ["shape", *dict.fromkeys(row["implementation"] for row in rows)],
            _by_shape(rows, lambda row: duration(row["stats"]["median"])),
            right=frozenset(range(1, len(series) + 1)),
        ),
    )


def _time_point(row: Row) -> Point:
    low, high = (row["stats"][quartile] * 1e3 if quartile in row["stats"] else None for quartile in ("q1", "q3"))
    return Point(row["classes"], row["stats"]["median"] * 1e3, low, high)


def _memory(record: Row) -> Iterator[tuple[str, Sequence[Table]]]:
    rows: list[list[Cell | str]] = [
        [
            shape_words(row),
            f"{row['measure']}, {row['dtype']}",
            row["implementation"],
            f"{row['rise'] / MIB:.1f}" if row["rise"] is not None else Cell(row["reason"], "quiet"),
        ]
        for row in record.get("memory") or ()
    ]
    if rows:
        header = ["shape", "measure, dtype", "implementation", "MiB"]
        yield "Memory", [Table("Peak memory of a call, beyond its arguments", header, rows, right=frozenset({3}))]


def _changes(record: Row) -> Iterator[Table]:
    """Differences from the baseline of an earlier run, the largest first, and whether they exceed the noise."""
    changes = (record.get("compared") or {}).get("changes") or ()
    rows: list[list[Cell | str]] = [
        [
            f"{change['implementation']}, {change['measure']}, {change['dtype']}, {shape_words(change)}",
            duration(change["old"]),
            duration(change["new"]),
            Cell(f"{change['percent']:+.0f} %", "failed" if change["counts"] and change["percent"] > 0 else ""),
            f"{change['p']:.1g}" if change.get("p") is not None else "",
            "more than the noise" if change["counts"] else "noise",
        ]
        for change in sorted(changes, key=lambda change: -abs(change["percent"]))
    ]
    if rows:
        header = ["what", "then", "now", "difference", "p", "significance"]
        yield Table("Against the times of an earlier run", header, rows, right=frozenset({1, 2, 3, 4}))


def _throughput_point(row: Row) -> Point:
    low, high = (row["bytes"] / row["stats"][quartile] / 1e9 if quartile in row["stats"] else None for quartile in ("q3", "q1"))
    return Point(row["classes"], row["bytes_per_second"] / 1e9, low, high)


def _roofs(record: Row, measure: str) -> dict[str, float]:
    bandwidth = record.get("bandwidth")
    if not bandwidth:
        return {}
    kind = "read" if measure == "loss" else "copy"
    return {f"plain {kind}": bandwidth[kind] / 1e9}


def _by_shape(rows: Sequence[Row], words: Any) -> list[list[Cell | str]]:
    names = list(dict.fromkeys(row["implementation"] for row in rows))
    found = {(shape_words(row), row["implementation"]): words(row) for row in rows}
    return [[shape, *(found.get((shape, name), "") for name in names)] for shape in dict.fromkeys(map(shape_words, rows))]


def _speed_up(timed: Sequence[Row], record: Row) -> Iterator[Figure]:
    for name, rows in _groups([row for row in timed if row.get("speed")]):
        bars = {}
        for implementation in dict.fromkeys(row["implementation"] for row in rows):
            speeds = [row["speed"] for row in rows if row["implementation"] == implementation]
            mean = math.exp(sum(map(math.log, speeds)) / len(speeds))
            bars[implementation] = Point(mean, 0, min(speeds), max(speeds), f"{mean:.2f} x")
        if len(bars) < 2:
            continue
        baseline = record["baseline"]
        fastest = max(bars, key=lambda key: bars[key].x)
        yield Figure(
            f"Speed against {baseline}: {name}",
            f"Geometric mean over all shapes, with the smallest and the largest; {fastest} is the fastest at {bars[fastest].label}.",
            bar_plot(bars, f"times as fast as {baseline} (geometric mean; line: smallest to largest)", 1.0, _colours(record)),
            Table(
                f"Speed against {baseline}: {name}",
                ["shape", *bars],
                _by_shape(rows, lambda row: f"{row['speed']:.2f}"),
                right=frozenset(range(1, len(bars) + 1)),
            ),
        )


def _accuracy_and_speed(timed: Sequence[Row], document: Document) -> Iterator[Figure]:
    """One point for each implementation that has a worst error and a speed."""
    points, operation = {}, (document.benchmark or {}).get("operation")
    for report in document.reports:
        speeds = [row["speed"] for row in timed if row["implementation"] == report.implementation and row.get("speed")]
        worst = worst_entry(report)
        if report.operation == operation and speeds and worst:
            mean = math.exp(sum(map(math.log, speeds)) / len(speeds))
            points[report.implementation] = Point(mean, _float32_ratio(report) or worst.worst_ratio)
    if len(points) < 2:
        return
    rows = [[name, f"{point.x:.2f}", f"{point.y:.3g}"] for name, point in points.items()]
    yield Figure(
        "Accuracy against speed",
        "Worst error / allowed error in float32 over the speed against the baseline: low and to the right is better.",
        scatter_plot(points, "times as fast as the baseline", "worst error / allowed", _colours(document.benchmark or {})),
        Table("Accuracy against speed", ["implementation", "speed", "worst error / allowed"], rows, right=frozenset({1, 2})),
    )


def _float32_ratio(report: ReportEntry) -> float:
    return max((entry.worst_ratio for entry in report.checks if entry.dtype == "float32"), default=0.0)


def _times(record: Row) -> Table:
    header = ["shape", "measure, dtype", "implementation", "median", "IQR", "rounds", "speed", "GB/s", "first call"]
    return Table("Every time", header, [_time(row) for row in record["rows"]], right=frozenset({3, 4, 5, 6, 7, 8}))


def _time(row: Row) -> list[Cell | str]:
    what = [shape_words(row), f"{row['measure']}, {row['dtype']}", row["implementation"]]
    if row["status"] != "timed":
        mark = "failed" if row["status"] == "failed" else "quiet"
        return [*what, Cell(f"{row['status']}: {row['reason']}".rstrip(": "), mark), *[""] * 5]
    stats = row["stats"]
    return [
        *what,
        duration(stats["median"]),
        duration(stats["iqr"]),
        str(stats["rounds"]),
        f"{row['speed']:.2f}" if row.get("speed") else "",
        f"{row['bytes_per_second'] / 1e9:.3g}",
        duration(row["first_call_seconds"]) if row.get("first_call_seconds") is not None else "",
    ]
