"""Time the loss, and the loss with its gradient, of several implementations over a grid of shapes."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

from xentfuzz.benchmark.bandwidth import Bandwidth, measure_bandwidth
from xentfuzz.benchmark.contender import MEASURES, Contender, functions_for
from xentfuzz.benchmark.grid import get_grid, stored_grids
from xentfuzz.benchmark.inputs import OPERATION, benchmark_recipe, why_not_timed
from xentfuzz.benchmark.records import Point, Row, add_speed, row_of, row_without_time
from xentfuzz.benchmark.rounds import run_rounds
from xentfuzz.benchmark.statistics import require_pytest_benchmark
from xentfuzz.checks.trial import Trial
from xentfuzz.errors import XentfuzzError, require_known
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.recipes.expand import expand
from xentfuzz.runner.events import BenchmarkFinished, HarnessFailed, Listener, Progress, tell
from xentfuzz.subjects.harness_errors import ErrorLog
from xentfuzz.subjects.open import open_subject
from xentfuzz.subjects.subject import Subject

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def benchmark(
    implementations: Sequence[Implementation],
    *,
    profile: str = "default",
    seed: int = 0,
    listeners: Sequence[Listener] = (),
    isolate: bool | None = None,
    baseline: str | None = None,
    dtypes: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The record of a benchmark (see `xentfuzz.benchmark.records`) of those `implementations` that implement cross_entropy.

    profile: names the grid; seed: of the inputs; isolate: as for checks; baseline: the name that speed is relative to, None for the one in
    `grid.toml`; dtypes: instead of the grid's. Ctrl-C ends it early with what was timed. Raises UnknownName for a profile or a
    baseline, and Unavailable without pytest-benchmark.
    """
    require_pytest_benchmark()
    require_timed(baseline, implementations)
    grid = get_grid(profile)
    points = [Point(dtype, rows, classes) for dtype in dtypes or grid.dtypes for rows, classes in grid.shapes]
    session = Session(seed, grid.seconds / max(1, len(points) * len(MEASURES)), listeners)
    load, began = os.getloadavg()[0], time.perf_counter()
    interrupted = session.run([each for each in implementations if each.operation == OPERATION], points, isolate)
    relative_to = baseline or stored_grids().baseline
    add_speed(session.rows, relative_to)
    record = {
        "operation": OPERATION,
        "profile": profile,
        "seed": seed,
        "baseline": relative_to,
        "interrupted": interrupted,
        "seconds": round(time.perf_counter() - began, 3),
        "threads": {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
        "load": load,
        "bandwidth": asdict(session.bandwidth) if session.bandwidth else None,
        "rows": session.rows,
    }
    tell(listeners, BenchmarkFinished(record))
    return record


def require_timed(baseline: str | None, implementations: Sequence[Implementation]) -> None:
    """Raises UnknownName for a baseline that is not among the implementations; None stands for the default."""
    names = {implementation.name for implementation in implementations if implementation.operation == OPERATION}
    require_known("baseline", [] if baseline is None else [baseline], names)


@dataclass
class Session:
    """seconds: for the timed calls of one measure of one point. subjects: by name; absent: name -> (status, reason) of the others."""

    seed: int
    seconds: float
    listeners: Sequence[Listener] = ()
    subjects: dict[str, Subject] = field(default_factory=dict)
    absent: dict[str, tuple[str, str]] = field(default_factory=dict)
    bandwidth: Bandwidth | None = None
    rows: list[Row] = field(default_factory=list)
    latest: tuple[Point, Case, Evaluation] | None = None

    def run(self, implementations: Sequence[Implementation], points: Sequence[Point], isolate: bool | None) -> bool:
        """Time every point; True where the user interrupted it."""
        with ExitStack() as stack:
            try:
                for implementation in implementations:
                    self._open(implementation, isolate, stack)
                self.bandwidth = measure_bandwidth()
                for number, (point, measure) in enumerate(itertools.product(points, MEASURES)):
                    self._announce(point, measure, number, len(points) * len(MEASURES))
                    try:
                        self._time(point, measure, self.bandwidth)
                    except Exception as error:  # noqa: BLE001 - one input is lost, not the benchmark
                        self._lose(point, measure, error)
            except KeyboardInterrupt:
                return True
        return False

    def _open(self, implementation: Implementation, isolate: bool | None, stack: ExitStack) -> None:
        if implementation.simulator:
            self.absent[implementation.name] = ("simulator", "a simulator's time says nothing about its device")
            return
        try:
            subject = open_subject(implementation, isolate=isolate)
        except XentfuzzError as error:
            self.absent[implementation.name] = ("unavailable", str(error))
            return
        stack.callback(subject.close)
        self.subjects[implementation.name] = subject

    def _time(self, point: Point, measure: str, bandwidth: Bandwidth) -> None:
        """Verify all contenders on one input, then time those that are right."""
        case, evaluation = self._input(point)
        operation = get_operation(OPERATION)
        contenders = [
            _verified(Contender(measure, functions_for(measure, subject), Trial(operation, case, evaluation, subject)))
            for subject in self.subjects.values()
        ]
        run_rounds(contenders, self.seconds)
        recipe = benchmark_recipe(point, self.seed).to_dict()
        self.rows += [row_of(contender, point, bandwidth, recipe) for contender in contenders]
        self.rows += [row_without_time(name, point, measure, *why) for name, why in self.absent.items()]

    def _lose(self, point: Point, measure: str, error: Exception) -> None:
        made = ErrorLog().note(error, f"timing {measure} of {point.rows} x {point.classes}", dtype=point.dtype)
        tell(self.listeners, HarnessFailed(made))
        self.rows += [row_without_time(name, point, measure, "error", f"xentfuzz itself failed: {made.error}") for name in self.subjects]
        self.rows += [row_without_time(name, point, measure, *why) for name, why in self.absent.items()]

    def _input(self, point: Point) -> tuple[Case, Evaluation]:
        """The input of a point and its exact result, kept while measure after measure looks at the same point."""
        if self.latest is None or self.latest[0] != point:
            case = expand(benchmark_recipe(point, self.seed))
            self.latest = (point, case, get_operation(OPERATION).evaluate(case))
        return self.latest[1:]

    def _announce(self, point: Point, measure: str, done: int, total: int) -> None:
        for name in self.subjects:
            tell(self.listeners, Progress(name, OPERATION, measure, point.dtype, "benchmark", done, total))


def _verified(contender: Contender) -> Contender:
    """The contender after its results were held against the exact ones; or with the reason why it has none."""
    trial = contender.trial
    reason = why_not_timed(trial.case, trial.subject.capabilities) or (None if contender.functions else "no gradient")
    if reason is None:
        contender.verify()
    else:
        contender.status, contender.reason = "unsupported", reason
    return contender
