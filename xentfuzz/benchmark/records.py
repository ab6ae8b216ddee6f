"""The record of a benchmark: one row for each implementation, input and measure, as plain data.

    {"operation", "operations", "profile", "seed", "baseline", "interrupted", "seconds", "threads", "load", "others", "cores", "too_busy",
     "bandwidth": {"read", "copy", "threads"}, "exponentials": {dtype: elements a second},
     "rows": [{"implementation", "operation", "dtype", "shape", "rows", "classes", "measure", "status", "reason", "functions", "recipe",
               "first_call_seconds", "floor_seconds", "bytes", "bytes_per_second", "share_of_bandwidth", "speed", "roof_seconds",
               "roof_limit", "share_of_roof", "impossible", "pools", "turns", "stats"}],
     "growth": {"classes", "rows", "threads"},
     "compared": {"changes", "drift", "judged", "percent", "regressions"},
     "memory": [{"implementation", "operation", "dtype", "shape", "measure", "rise", "reason"}]}

threads: how many every implementation had. load: the load average of the minute before. others: how many of the `cores` other processes
used on average while times were taken, None where the system doesn't tell; too_busy: more than times can be judged with. baseline: the
implementation that speed is relative to. bandwidth: bytes per second far beyond any cache, None where it was not measured; exponentials:
None for a dtype where they were not, as Numba is missing.
status: "timed", or "failed", "error" (of xentfuzz), "unsupported", "simulator", "unavailable" without figures. bytes: the model of what
must move: the first argument once for a loss, twice (read, and the gradient written) for loss and gradient. share_of_bandwidth: of the
plain read or plain copy of a buffer of that size, None off the CPU. speed: median time of the baseline / median time. floor_seconds: of a
call of an empty function in the same way. roof_seconds, roof_limit: see `roof.py`; impossible: faster than it can be. pools: numbers of
threads, as libraries say.
turns: how many rounds each turn had; those of one turn come one after the other. stats: pytest-benchmark's, in seconds.
growth: how cost grows, where that was measured (see `growth.py`). compared: with an earlier run, where one was given (see `baseline.py`).
rise: bytes of memory that a call needs at its peak, in a process of its own, None where it was not measured, for `reason`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from xentfuzz.benchmark.contender import Contender
from xentfuzz.benchmark.inputs import WITH_GRADIENT, Point
from xentfuzz.benchmark.roof import Roof, Roofs
from xentfuzz.benchmark.statistics import summarise

Row = dict[str, Any]

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def row_without_time(implementation: str, point: Point, measure: str, status: str, reason: str) -> Row:
    return {"implementation": implementation, **point.described(), "measure": measure, "status": status, "reason": reason}


def row_of(contender: Contender, point: Point, roofs: Roofs, recipe: dict[str, Any]) -> Row:
    """The row of a contender after its rounds; without figures where it is not "timed"."""
    row = row_without_time(contender.name, point, contender.measure, contender.status, contender.reason)
    row |= {"functions": list(contender.functions), "recipe": recipe}
    if not contender.active:
        return row
    stats = summarise(contender.seconds)
    moved = point.bytes_moved(contender.measure)
    return row | {
        "first_call_seconds": contender.first_call,
        "floor_seconds": median(contender.floor),
        "bytes": moved,
        "bytes_per_second": moved / stats["median"],
        "share_of_bandwidth": None,
        "speed": None,
        **_under_the_roof(contender, point, roofs, stats["median"]),
        "pools": contender.pools,
        "turns": [len(turn) for turn in contender.turns],
        "stats": stats,
    }


def _under_the_roof(contender: Contender, point: Point, roofs: Roofs, seconds: float) -> Row:
    """A roof of the CPU says nothing about another device."""
    on_cpu = contender.trial.subject.implementation.device == "cpu"
    roof = roofs.roof(point, contender.measure) if on_cpu else None
    if roof is not None and seconds < roof.least:
        roof = roofs.again(point, contender.measure)
    if roof is None:
        return {"roof_seconds": None, "roof_limit": None, "share_of_roof": None, "impossible": False}
    bandwidth = roofs.bandwidth(point.nbytes)
    plain = bandwidth.copy if contender.measure.endswith(WITH_GRADIENT) else bandwidth.read
    return {
        "share_of_bandwidth": point.bytes_moved(contender.measure) / seconds / plain,
        "roof_seconds": roof.seconds,
        "roof_limit": roof.limit,
        "share_of_roof": roof.seconds / seconds,
        "impossible": impossible(roof, seconds),
    }


def impossible(roof: Roof, seconds: float) -> bool:
    """Whether a time is below what the roof allows."""
    return seconds < roof.least


def add_speed(rows: Iterable[Row], baseline: str) -> None:
    """Enter into every timed row how many times as fast as the baseline it is, where the baseline was timed on that input."""
    timed = [row for row in rows if row["status"] == "timed"]
    medians = {input_of(row): row["stats"]["median"] for row in timed if row["implementation"] == baseline}
    for row in timed:
        if input_of(row) in medians:
            row["speed"] = medians[input_of(row)] / row["stats"]["median"]


def input_of(row: Row) -> tuple[Any, ...]:
    """What rows of different implementations have in common that can be compared."""
    return row["measure"], row["dtype"], tuple(row["shape"])


def shape_words(row: Mapping[str, Any]) -> str:
    """Such as "512 x 1000"."""
    return " x ".join(map(str, row.get("shape") or (row["rows"], row["classes"])))


def duration(seconds: float) -> str:
    """Three digits and a unit: "1.23 ms"."""
    factor, unit = next(((factor, unit) for factor, unit in UNITS if seconds >= factor), UNITS[-1])
    return f"{seconds / factor:.3g} {unit}"
