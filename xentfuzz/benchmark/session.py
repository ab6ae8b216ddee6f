"""One pass over a grid: subjects are opened, each point is verified and timed, and peak memory is measured."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from xentfuzz.benchmark.bandwidth import BUFFER_BYTES, Bandwidth
from xentfuzz.benchmark.contender import Contender, ways_for
from xentfuzz.benchmark.grid import Grid
from xentfuzz.benchmark.inputs import Point, TimedInput, timed_input, why_not_timed
from xentfuzz.benchmark.memory import measure_memory
from xentfuzz.benchmark.records import Row, row_of, row_without_time
from xentfuzz.benchmark.roof import Roofs
from xentfuzz.benchmark.rounds import run_rounds
from xentfuzz.checks.trial import Trial
from xentfuzz.errors import XentfuzzError
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.runner.events import HarnessFailed, Listener, Progress, tell
from xentfuzz.subjects.harness_errors import ErrorLog
from xentfuzz.subjects.open import open_subject
from xentfuzz.subjects.subject import Subject
from xentfuzz.worker.thread_count import thread_variables


@dataclass
class Session:
    """subjects: of the operation that is timed, by name; absent: name -> (status, reason) of the others. with_memory: it is measured."""

    grid: Grid
    seed: int
    threads: int
    listeners: Sequence[Listener] = ()
    isolate: bool | None = None
    with_memory: bool = True
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
            if steps and self.with_memory:
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
