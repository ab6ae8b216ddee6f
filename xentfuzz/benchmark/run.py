"""Time the result, and the result with its gradient, of several implementations over a grid of shapes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from xentfuzz.benchmark.baseline import compared
from xentfuzz.benchmark.busyness import Busyness, OthersWatch
from xentfuzz.benchmark.grid import Grid, get_grid, stored_grids
from xentfuzz.benchmark.growth import measure_growth
from xentfuzz.benchmark.records import add_speed
from xentfuzz.benchmark.session import Session
from xentfuzz.benchmark.statistics import require_pytest_benchmark
from xentfuzz.environment import available_cores
from xentfuzz.errors import UsageError, require_known
from xentfuzz.implementation import Implementation
from xentfuzz.runner.events import BenchmarkFinished, Listener, tell


def benchmark(
    implementations: Sequence[Implementation],
    *,
    profile: str = "default",
    grid: Grid | None = None,
    seed: int = 0,
    listeners: Sequence[Listener] = (),
    isolate: bool | None = None,
    relative_to: str | None = None,
    threads: int | None = None,
    before: Mapping[str, Any] | None = None,
    fail_on_regression: float | None = None,
) -> dict[str, Any]:
    """The record of a benchmark (see `xentfuzz.benchmark.records`) of those `implementations` whose operation is in the grid.

    grid: None for that of the profile. seed: of the inputs; isolate: as for checks; relative_to: the name that speed is relative to, None
    for the one in `grid.toml`; threads: for each implementation, None for as many as there are cores. before: the record of an earlier run
    to compare with; fail_on_regression: per cent from which on something slower is counted as a regression.
    Ctrl-C ends it early with what was timed. Raises UnknownName for a profile or a name, UsageError for more threads than cores,
    Unavailable without pytest-benchmark.
    """
    require_pytest_benchmark()
    chosen = grid or get_grid(profile)
    require_timed(relative_to, implementations, chosen)
    session = Session(chosen, seed, thread_count(threads), listeners, isolate)
    load, began = os.getloadavg()[0], time.perf_counter()
    watch = OthersWatch()
    interrupted = session.run(implementations)
    growth = None
    if chosen.growth and not interrupted:
        growth, interrupted = measure_growth(
            chosen, implementations, seed=seed, threads=session.threads, listeners=listeners, isolate=isolate
        )
    baseline = relative_to or stored_grids().baseline
    add_speed(session.rows, baseline)
    record = {
        "operation": chosen.operations[0],
        "operations": list(chosen.operations),
        "profile": profile,
        "seed": seed,
        "baseline": baseline,
        "interrupted": interrupted,
        "seconds": round(time.perf_counter() - began, 3),
        "threads": session.threads,
        "load": load,
        **_others(watch.result()),
        "bandwidth": asdict(session.bandwidth) if session.bandwidth else None,
        "exponentials": dict(session.roofs.exponentials),
        "rows": session.rows,
        "memory": session.memory,
    }
    if growth is not None:
        record["growth"] = growth
    if before is not None:
        record["compared"] = compared(record, before, fail_on_regression)
    tell(listeners, BenchmarkFinished(record))
    return record


def thread_count(threads: int | None) -> int:
    """As many as asked for, or as there are cores. Raises UsageError for more than there are, which no time of a machine would be."""
    cores = available_cores()
    if threads is not None and threads > cores:
        raise UsageError(f"--threads {threads}: this process may use {cores} cores")
    return threads or cores


def require_timed(name: str | None, implementations: Sequence[Implementation], grid: Grid) -> None:
    """Raises UnknownName for a name that is not among those that are timed; None stands for the default."""
    names = {implementation.name for implementation in implementations if implementation.operation in grid.operations}
    require_known("implementation to give speed relative to", [] if name is None else [name], names)


def _others(busyness: Busyness | None) -> dict[str, Any]:
    if busyness is None:
        return {"others": None, "cores": available_cores(), "too_busy": False}
    return {"others": busyness.others, "cores": busyness.cores, "too_busy": busyness.too_busy}
