"""Rounds of calls on the same arrays, timed where they run, without the collection of garbage.

A round is one call of each step, in order. Where a call may overwrite its arguments, every round gets fresh copies, which are not timed.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.worker.libraries.library import Collected
from xentfuzz.worker.protocols.scene import Results, Scene, Step
from xentfuzz.worker.thread_count import limited_threads

Prepared = list[tuple[Step, dict[str, StridedArray], dict[str, Any]]]


def run(scene: Scene) -> Results:
    """seconds: of each round; floor: of each round of calls of an empty function; threads: what each library says, "name=number" each.

    Parameters: rounds: the most; duration: seconds that they shall take about, after one round that is not counted; threads: how many;
    overwrites: whether a call may overwrite its arguments; results: whether the outputs of the last round are wanted, as "STEP.OUTPUT".
    """
    with limited_threads(scene.parameters["threads"]) as in_use, _no_collection():
        prepared = _prepare(scene)
        warm, _ = _round(scene, prepared)
        rounds = max(1, min(scene.parameters["rounds"], int(scene.parameters["duration"] / max(warm, 1e-9))))
        seconds = np.empty(rounds)
        outputs: list[dict[str, Any]] = []
        for number in range(rounds):
            # The memory of the round before is free again, as in a loop of a user's own.
            outputs = []
            prepared = _prepare(scene) if scene.parameters["overwrites"] else prepared
            seconds[number], outputs = _round(scene, prepared)
        floor = np.array([_floor(scene, prepared) for _ in range(rounds)])
    found: Results = {
        "seconds": Collected(seconds, "float64"),
        "floor": Collected(floor, "float64"),
        "threads": " ".join(f"{name}={count}" for name, count in sorted(in_use.items())),
    }
    return found | (_collected(scene, outputs) if scene.parameters["results"] else {})


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _prepare(scene: Scene) -> Prepared:
    given = [(step, scene.fresh(step) if scene.parameters["overwrites"] else dict(step.arrays)) for step in scene.steps]
    return [(step, arrays, scene.callee.load(arrays)) for step, arrays in given]


def _round(scene: Scene, prepared: Prepared) -> tuple[float, list[dict[str, Any]]]:
    total, found = 0.0, []
    for step, arrays, loaded in prepared:
        began = perf_counter()
        outputs = scene.callee.outputs(step.function, loaded, arrays, step.options)
        scene.callee.library.finish(list(outputs.values()))
        total += perf_counter() - began
        found.append(outputs)
    return total, found


def _floor(scene: Scene, prepared: Prepared) -> float:
    """What a round costs of which the functions do nothing: arguments put in order, a call, the clock read."""
    total = 0.0
    for step, _, loaded in prepared:
        name = step.function if step.function in scene.callee.forms else "forward"
        needed: Mapping[str, Any] = loaded
        began = perf_counter()
        positional, named = scene.callee.arguments(name, needed, step.options)
        _empty(*positional, **named)
        scene.callee.library.finish([])
        total += perf_counter() - began
    return total


def _empty(*_positional: Any, **_named: Any) -> None:
    pass


def _collected(scene: Scene, outputs: list[dict[str, Any]]) -> Results:
    collect = scene.callee.library.collect
    return {f"{number}.{name}": collect(output) for number, found in enumerate(outputs) for name, output in found.items()}
