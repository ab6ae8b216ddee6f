"""Time the result, and the result with its gradient, of several implementations over a grid of shapes."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

from xentfuzz.benchmark.bandwidth import BUFFER_BYTES, Bandwidth
from xentfuzz.benchmark.baseline import compared
from xentfuzz.benchmark.busyness import Busyness, OthersWatch
from xentfuzz.benchmark.contender import Contender, ways_for
from xentfuzz.benchmark.grid import Grid, get_grid, stored_grids
from xentfuzz.benchmark.inputs import Point, TimedInput, timed_input, why_not_timed
from xentfuzz.benchmark.memory import measure_memory
from xentfuzz.benchmark.records import Row, add_speed, row_of, row_without_time
from xentfuzz.benchmark.roof import Roofs
from xentfuzz.benchmark.rounds import run_rounds
from xentfuzz.benchmark.statistics import require_pytest_benchmark
from xentfuzz.checks.trial import Trial
from xentfuzz.environment import available_cores
from xentfuzz.errors import UsageError, XentfuzzError, require_known
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.runner.events import BenchmarkFinished, HarnessFailed, Listener, Progress, tell
from xentfuzz.subjects.harness_errors import ErrorLog
from xentfuzz.subjects.open import open_subject
from xentfuzz.subjects.subject import Subject
from xentfuzz.worker.thread_count import thread_variables


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


@dataclass
class Session:
    """subjects: of the operation that is timed, by name; absent: name -> (status, reason) of the others."""

    grid: Grid
    seed: int
    threads: int
    listeners: Sequence[Listener] = ()
    isolate: bool | None = None
    subjects: dict[str, Subject] = field(default_factory=dict)
    absent: dict[str, tuple[str, str]] = field(default_factory=dict)
    bandwidth: Bandwidth | None = None
    rows: list[Row] = field(default_factory=list)
    memory: list[Row] = field(default_factory=list)
    latest: TimedInput | None = None

    def __post_init__(self) -> None:
        self.roofs = Roofs(self.threads)
        self.steps = [(point, measure) for point in self.grid.points for measure in point.measures]

    def run(self, implementations: Sequence[Implementation]) -> bool:
        """Time every point; True where the user interrupted it."""
        try:
            self.bandwidth = self.roofs.bandwidth(BUFFER_BYTES)
            for operation in self.grid.operations:
                self._run_operation(operation, [each for each in implementations if each.operation == operation])
        except KeyboardInterrupt:
            return True
        return False

    def _run_operation(self, operation: str, implementations: Sequence[Implementation]) -> None:
        self.subjects, self.absent = {}, {}
        steps = [(point, measure) for point, measure in self.steps if point.operation == operation]
        with ExitStack() as stack:
            for implementation in implementations:
                self._open(implementation, stack)
            for point, measure in steps:
                self._announce(point, measure)
                try:
                    self._time(point, measure)
                except Exception as error:  # noqa: BLE001 - one input is lost, not the benchmark
                    self._lose(point, measure, error)
            if steps:
                self._measure_memory([point for point, _ in steps])

    def _open(self, implementation: Implementation, stack: ExitStack) -> None:
        if implementation.simulator:
            self.absent[implementation.name] = ("simulator", "a simulator's time says nothing about its device")
            return
        try:
            subject = open_subject(implementation, isolate=self.isolate, environment=thread_variables(self.threads))
        except XentfuzzError as error:
            self.absent[implementation.name] = ("unavailable", str(error))
            return
        stack.callback(subject.close)
        self.subjects[implementation.name] = subject

    def _time(self, point: Point, measure: str) -> None:
        """Verify all contenders on one input, then time those that are right."""
        given = self._input(point)
        contenders = [each for subject in self.subjects.values() for each in contenders_for(subject, given, measure, self.threads)]
        run_rounds(contenders, self.grid.seconds / len(self.steps))
        self.rows += [row_of(contender, point, self.roofs, given.recipe.to_dict()) for contender in contenders]
        self.rows += [row_without_time(name, point, measure, *why) for name, why in self.absent.items()]

    def _lose(self, point: Point, measure: str, error: Exception) -> None:
        made = ErrorLog().note(error, f"timing {measure} of {' x '.join(map(str, point.shape))}", dtype=point.dtype)
        tell(self.listeners, HarnessFailed(made))
        self.rows += [row_without_time(name, point, measure, "error", f"xentfuzz itself failed: {made.error}") for name in self.subjects]
        self.rows += [row_without_time(name, point, measure, *why) for name, why in self.absent.items()]

    def _input(self, point: Point) -> TimedInput:
        """Kept while measure after measure looks at the same point."""
        if self.latest is None or self.latest.point != point:
            self.latest = timed_input(point, self.seed)
        return self.latest

    def _measure_memory(self, points: Sequence[Point]) -> None:
        """On the largest input of each dtype."""
        for _, group in itertools.groupby(points, key=lambda point: point.dtype):
            given = self._input(max(group, key=lambda each: each.nbytes))
            for subject in self.subjects.values():
                for measure in given.point.measures:
                    ways = ways_for(measure == given.point.measures[0], subject)
                    timed = {way: functions for way, functions in ways.items() if self._is_timed(subject, way, given.point, measure)}
                    self.memory += measure_memory(subject, given, measure, timed, self.threads)

    def _is_timed(self, subject: Subject, way: str, point: Point, measure: str) -> bool:
        wanted = row_without_time(f"{subject.implementation.name}{way}", point, measure, "timed", "")
        return any(all(row[key] == value for key, value in wanted.items()) for row in self.rows)

    def _announce(self, point: Point, measure: str) -> None:
        done = self.steps.index((point, measure))
        for name in self.subjects:
            tell(self.listeners, Progress(name, point.operation, measure, point.dtype, "benchmark", done, len(self.steps)))


def contenders_for(subject: Subject, given: TimedInput, measure: str, threads: int) -> list[Contender]:
    """One for each way in which the implementation gives what is measured, after its results were held against the exact ones; or with the
    reason why it has no time.
    """
    trial = Trial(get_operation(given.point.operation), given.case, given.evaluation, subject)
    ways = ways_for(measure == given.point.measures[0], subject)
    reason = why_not_timed(given.case, subject.capabilities) or (None if ways else "no gradient")
    if reason is not None:
        return [Contender(measure, (), trial, threads, status="unsupported", reason=reason)]
    contenders = [Contender(measure, functions, trial, threads, way) for way, functions in ways.items()]
    for contender in contenders:
        contender.verify()
    return contenders
