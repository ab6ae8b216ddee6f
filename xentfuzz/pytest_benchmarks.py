"""The calls that a test under `parametrize_benchmark` makes: one for each implementation, measure and input.

They run in the test's own process, as pytest-benchmark's fixture times what it calls there. Loaded only by tests that use them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pytest

from xentfuzz.arrays import StridedArray, fresh_arrays
from xentfuzz.benchmark.contender import Contender
from xentfuzz.benchmark.grid import changed_grid, get_grid
from xentfuzz.benchmark.inputs import Point, TimedInput, timed_input
from xentfuzz.benchmark.records import shape_words
from xentfuzz.benchmark.session import contenders_for
from xentfuzz.checks.trial import arguments_of
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.environment import available_cores
from xentfuzz.errors import Unavailable, require_known
from xentfuzz.implementation import DEFAULT_OPERATION, Implementation
from xentfuzz.operations import operation_names
from xentfuzz.pytest_checks import named_or_unnamed
from xentfuzz.subjects.in_process import InProcess, results_of
from xentfuzz.subjects.open import open_subject
from xentfuzz.subjects.outcome import Outcome
from xentfuzz.worker.callee import Answer
from xentfuzz.worker.thread_count import limited_threads

# Of what needs fresh arguments each time, which pytest-benchmark can't calibrate.
ROUNDS_OF_FRESH = 20


@dataclass(frozen=True)
class TimedCall:
    """What a test receives as `timed`: `timed(benchmark)` times verified results by the fixture of pytest-benchmark."""

    implementation: Implementation
    point: Point
    measure: str
    seed: int
    threads: int

    def __str__(self) -> str:
        return f"{self.implementation.name}-{self.measure}-{self.point.dtype}-{'x'.join(map(str, self.point.shape))}"

    def __call__(self, benchmark: Any) -> None:
        """Skips where the implementation can't run or does not take the input; fails where a result is wrong, before or while timed."""
        __tracebackhide__ = True
        with limited_threads(self.threads):
            contender, subject = self._contender()
            benchmark.group = f"{self.measure} {self.point.dtype} {shape_words(self.point.described())}"
            benchmark.extra_info.update(self.point.described() | {"implementation": self.implementation.name, "threads": self.threads})
            outputs = _timed(benchmark, contender, subject)
            contender.trial.outcomes |= {function: Outcome(_arrays(subject, found)) for function, found in outputs.items()}
            contender.verify()
            _require_right(contender)

    def _contender(self) -> tuple[Contender, InProcess]:
        """The first way to get what is measured, with its results verified."""
        __tracebackhide__ = True
        try:
            metered = open_subject(self.implementation, isolate=False)
        except Unavailable as reason:
            pytest.skip(str(reason))
        assert isinstance(metered.inner, InProcess)
        contender = contenders_for(metered, _input(self.point, self.seed), self.measure, self.threads)[0]
        _require_right(contender)
        return contender, metered.inner


@lru_cache(maxsize=1)
def _input(point: Point, seed: int) -> TimedInput:
    """Kept while test after test looks at the same point."""
    return timed_input(point, seed)


def _require_right(contender: Contender) -> None:
    __tracebackhide__ = True
    if contender.status == "unsupported":
        pytest.skip(contender.reason)
    if contender.status == "failed":
        pytest.fail(f"{contender.name}: {contender.reason}", pytrace=False)


def _timed(benchmark: Any, contender: Contender, subject: InProcess) -> Mapping[str, Mapping[str, Any]]:
    """The outputs of the last round, function by function. What may overwrite its arguments gets fresh ones, one round for each."""
    implementation, callee, case = subject.implementation, subject.callee, contender.trial.case
    given = {function: arguments_of(function, case, contender.trial.value_dtype) for function in contender.functions}

    def once(loaded: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
        found = {function: callee.outputs(function, arrays, given[function], case.options) for function, arrays in loaded.items()}
        callee.library.finish([output for outputs in found.values() for output in outputs.values()])
        return found

    def fresh() -> tuple[tuple[Any], dict[str, Any]]:
        return (_loaded(callee.load, given),), {}

    outputs: Mapping[str, Mapping[str, Any]]
    if implementation.mutates or implementation.aliases:
        outputs = benchmark.pedantic(once, setup=fresh, rounds=ROUNDS_OF_FRESH, warmup_rounds=1)
    else:
        outputs = benchmark(once, _loaded(callee.load, given))
    return outputs


def _loaded(
    load: Callable[[Mapping[str, StridedArray]], dict[str, Any]], given: Mapping[str, Mapping[str, StridedArray]]
) -> dict[str, Any]:
    """Of copies, function by function."""
    return {function: load(fresh_arrays(arrays)) for function, arrays in given.items()}


def _arrays(subject: InProcess, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    collected = {name: subject.callee.library.collect(output) for name, output in outputs.items()}
    return results_of(Answer(collected), copy=True) or {}


def timed_calls(
    given: Sequence[Any],
    *,
    only: Sequence[str] | None,
    profile: str,
    seed: int,
    operations: Sequence[str] | None,
    dtypes: Sequence[str] | None,
    shapes: Sequence[tuple[int, ...]] | None,
    threads: int | None,
) -> list[TimedCall]:
    """The calls for the implementations `given`, as for `check_calls`; dtypes, shapes: None for those that `xentfuzz bench` times.

    Raises UsageError for an unknown name and for a shape that can't be timed.
    """
    require_known("operation", operations or (), operation_names())
    require_known("dtype", dtypes or (), FLOAT_NAMES)
    implementations = named_or_unnamed(given, operations, only)
    wanted = tuple(operations or (DEFAULT_OPERATION,))
    grid = changed_grid(get_grid(profile), operations=wanted, dtypes=dtypes, shapes=shapes)
    count = threads or available_cores()
    return [
        TimedCall(implementation, point, measure, seed, count)
        for point in grid.points
        for measure in point.measures
        for implementation in implementations
        if implementation.operation == point.operation and not implementation.simulator
    ]
