"""The steps from several threads at once, again and again, each against what it gave alone."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from xentfuzz.worker.libraries.library import Collected, Number
from xentfuzz.worker.protocols.scene import Results, Scene, Step, content, same
from xentfuzz.worker.texts import message_of

Snapshot = dict[str, Collected | Number]

# Threads change places often enough that even a call of microseconds is interrupted.
SWITCH_SECONDS = 1e-5


@dataclass(frozen=True)
class Finding:
    """A step that gave something else than alone: its results, or the exception that only threads saw."""

    step: int
    error: str = ""
    seen: Snapshot = field(default_factory=dict)


@dataclass
class Watch:
    """What the threads found first, and how many calls were made until then."""

    until: float
    calls: int = 0
    finding: Finding | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def over(self) -> bool:
        return self.finding is not None or time.monotonic() >= self.until

    def count(self) -> None:
        with self.lock:
            self.calls += 1

    def note(self, finding: Finding) -> None:
        """Keep the first finding only: half of it from one thread and half from another would be none."""
        with self.lock:
            self.finding = self.finding or finding


def run(scene: Scene) -> Results:
    """step: the number of the one that gave something else, else -1; with its results, or the exception that only threads saw."""
    alone = [_alone(scene, step) for step in scene.steps]
    watch = Watch(time.monotonic() + scene.parameters["duration"])
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        _in_threads(scene, alone, watch)
    finally:
        sys.setswitchinterval(interval)
    finding = watch.finding
    if finding is None:
        return {"step": -1, "calls": watch.calls, "error": "", "output": ""}
    wanted = alone[finding.step]
    output = next((name for name, result in finding.seen.items() if content(result) != content(wanted[name])), "")
    found: Results = {"step": finding.step, "calls": watch.calls, "error": finding.error, "output": output}
    return {**found, **({"together": finding.seen[output], "alone": wanted[output]} if output else {})}


def _alone(scene: Scene, step: Step) -> Snapshot:
    """What a step gives while no other runs; in a new thread, too.

    Of a library that shares out its work, the thread that has loaded it may have another number of threads than all later ones, and sum up
    in another order.
    """
    with ThreadPoolExecutor(1) as one:
        return one.submit(lambda: scene.snapshot(scene.run(step))).result()


def _in_threads(scene: Scene, alone: list[Snapshot], watch: Watch) -> None:
    start = threading.Barrier(len(scene.steps))
    threads = [threading.Thread(target=_repeat, args=(scene, number, alone[number], watch, start)) for number in range(len(scene.steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _repeat(scene: Scene, number: int, wanted: Snapshot, watch: Watch, start: threading.Barrier) -> None:
    start.wait()
    while not watch.over:
        try:
            seen = scene.snapshot(scene.run(scene.steps[number]))
        except BaseException as error:  # noqa: BLE001 - an exception in a thread would be lost
            watch.note(Finding(number, error=f"{type(error).__name__}: {message_of(error)}"))
            return
        watch.count()
        if not same(seen, wanted):
            watch.note(Finding(number, seen=seen))
