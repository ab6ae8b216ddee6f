"""How cost grows: a plot with its table for each axis and measure, where that was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xentfuzz.benchmark.growth import place_on
from xentfuzz.benchmark.records import duration, shape_words
from xentfuzz.reports.html.elements import Figure, Table
from xentfuzz.reports.html.plots import Colours, Point, line_plot

# axis -> what the title says of it, what stands below it.
AXES = {
    "classes": ("classes, at one number of bytes", "classes"),
    "rows": ("rows", "rows"),
    "threads": ("threads", "threads"),
}

GrowthPoint = Mapping[str, Any]


def growth_figures(record: Mapping[str, Any], colours: Colours) -> Iterator[Figure]:
    """No figure where nothing was measured, or only one place of an axis."""
    for axis, points in (record.get("growth") or {}).items():
        for measure in dict.fromkeys(point["measure"] for point in points):
            group = [point for point in points if point["measure"] == measure]
            if len({place_on(axis, point) for point in group}) > 1:
                yield _figure(axis, measure, group, colours)


def _figure(axis: str, measure: str, points: Sequence[GrowthPoint], colours: Colours) -> Figure:
    over, label = AXES[axis]
    names = list(dict.fromkeys(point["implementation"] for point in points))
    series = {name: _line(axis, [point for point in points if point["implementation"] == name]) for name in names}
    roof = {place_on(axis, point): point["roof_seconds"] for point in points if point["roof_seconds"]}
    if roof:
        series["this machine's roof"] = [Point(place, seconds * 1e3) for place, seconds in sorted(roof.items())]
    title = f"How {measure} grows over {over}"
    shapes = ", ".join(dict.fromkeys(map(shape_words, points)))
    last = {name: line[-1] for name, line in series.items() if name in names}
    fastest = min(last, key=lambda name: last[name].y)
    return Figure(
        title,
        f"Median milliseconds in {points[0]['dtype']}, with the quartiles, on {shapes}; at {last[fastest].x:g} {label} {fastest} is the "
        f"fastest, with {duration(last[fastest].y / 1e3)}.",
        line_plot(series, label, "ms", colours=colours),
        Table(title, [label, *names], _rows(axis, names, points), right=frozenset(range(len(names) + 1))),
    )


def _line(axis: str, points: Sequence[GrowthPoint]) -> list[Point]:
    line = [Point(place_on(axis, point), *(point[name] * 1e3 for name in ("median", "q1", "q3"))) for point in points]
    return sorted(line, key=lambda point: point.x)


def _rows(axis: str, names: Sequence[str], points: Sequence[GrowthPoint]) -> list[list[str]]:
    found = {(place_on(axis, point), point["implementation"]): duration(point["median"]) for point in points}
    return [[str(place), *(found.get((place, name), "") for name in names)] for place in sorted({place for place, _ in found})]
