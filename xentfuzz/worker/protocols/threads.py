"""The steps from several threads at once, again and again, each against what it gave alone."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field

from xentfuzz.worker.libraries.library import Collected, Number
from xentfuzz.worker.protocols.scene import Results, Scene, content, same
from xentfuzz.worker.texts import message_of

Snapshot = dict[str, Collected | Number]

# Threads change places often enough that even a call of microseconds is interrupted.
SWITCH_SECONDS = 1e-5


@dataclass
class Watch:
    """What the threads found: the step that first differed and how, how many calls were made."""

    until: float
    calls: int = 0
    step: int = -1
    error: str = ""
    seen: Snapshot = field(default_factory=dict)


def run(scene: Scene) -> Results:
    """step: the number of the one that gave something else, else -1; with its results, or the exception that only threads saw."""
    alone = [scene.snapshot(scene.run(step)) for step in scene.steps]
    watch = Watch(time.monotonic() + scene.parameters["duration"])
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        _in_threads(scene, alone, watch)
    finally:
        sys.setswitchinterval(interval)
    output = next((name for name, result in watch.seen.items() if content(result) != content(alone[watch.step][name])), "")
    found: Results = {"step": watch.step, "calls": watch.calls, "error": watch.error, "output": output}
    return {**found, **({"together": watch.seen[output], "alone": alone[watch.step][output]} if output else {})}


def _in_threads(scene: Scene, alone: list[Snapshot], watch: Watch) -> None:
    start = threading.Barrier(len(scene.steps))
    threads = [threading.Thread(target=_repeat, args=(scene, number, alone[number], watch, start)) for number in range(len(scene.steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _repeat(scene: Scene, number: int, wanted: Snapshot, watch: Watch, start: threading.Barrier) -> None:
    start.wait()
    while watch.step < 0 and time.monotonic() < watch.until:
        try:
            seen = scene.snapshot(scene.run(scene.steps[number]))
        except BaseException as error:  # noqa: BLE001 - an exception in a thread would be lost
            watch.step, watch.error = number, f"{type(error).__name__}: {message_of(error)}"
            return
        watch.calls += 1
        if not same(seen, wanted):
            watch.step, watch.seen = number, seen
