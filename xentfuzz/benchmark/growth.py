"""How cost grows: over the classes at a fixed number of bytes, over the rows, over the threads; what plots are drawn from.

    {"classes": points, "rows": points, "threads": points}
    point: {"implementation", "operation", "dtype", "shape", "measure", "threads", "median", "q1", "q3", "roof_seconds"}, seconds

Only what has a time is there. roof_seconds: None where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from xentfuzz.benchmark.grid import Grid, GrowthGrid, Shape, stored_grids
from xentfuzz.benchmark.records import Row
from xentfuzz.benchmark.session import Session
from xentfuzz.implementation import Implementation
from xentfuzz.runner.events import Listener

Growth = dict[str, list[dict[str, Any]]]


def measure_growth(
    grid: Grid,
    implementations: Sequence[Implementation],
    *,
    seed: int,
    threads: int,
    listeners: Sequence[Listener],
    isolate: bool | None,
) -> tuple[Growth, bool]:
    """Of the first operation and dtype of a grid; and whether the user interrupted it."""
    found: Growth = {}
    plans = growth_plans(stored_grids().growth, threads)
    steps = sum(len(shapes) for _, _, shapes in plans)
    for axis, count, shapes in plans:
        seconds = stored_grids().growth.seconds * len(shapes) / steps
        part = msgspec.structs.replace(grid, dtypes=grid.dtypes[:1], operations=grid.operations[:1], shapes=shapes, seconds=seconds)
        session = Session(part, seed, count, listeners, isolate, with_memory=False)
        interrupted = session.run(implementations)
        found.setdefault(axis, []).extend(_point(row, count) for row in session.rows if row["status"] == "timed")
        if interrupted:
            return found, True
    return found, False


def growth_plans(growth: GrowthGrid, threads: int) -> list[tuple[str, int, tuple[Shape, ...]]]:
    """(axis, number of threads, shapes). Threads are doubled up to as many as there are."""
    by_classes = tuple((max(1, growth.elements // count), count) for count in growth.classes)
    by_rows = tuple((count, growth.row_classes) for count in growth.rows)
    counts = [1 << power for power in range(threads.bit_length()) if 1 << power < threads]
    over_threads = [("threads", count, (growth.threads_shape,)) for count in (*counts, threads)]
    return [("classes", threads, by_classes), ("rows", threads, by_rows), *over_threads]


def _point(row: Row, threads: int) -> dict[str, Any]:
    kept = {name: row[name] for name in ("implementation", "operation", "dtype", "shape", "measure", "roof_seconds")}
    return {**kept, "threads": threads, **{name: row["stats"][name] for name in ("median", "q1", "q3")}}


def place_on(axis: str, point: Mapping[str, Any]) -> int:
    """Where a point lies on its axis: how many classes, rows or threads."""
    shape: Sequence[int] = point["shape"]
    return {"classes": shape[1], "rows": shape[0], "threads": int(point["threads"])}[axis]
