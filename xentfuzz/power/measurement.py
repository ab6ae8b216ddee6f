"""One run of `check` on one entry of the gallery."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from xentfuzz.errors import XentfuzzError
from xentfuzz.failures.failure import Failure
from xentfuzz.gallery import kernels
from xentfuzz.gallery.catalogue import entry
from xentfuzz.power.parallel import Work, in_processes
from xentfuzz.power.script import script_fault
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.events import Event, FailureFound
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings


@dataclass(frozen=True)
class Task:
    """profile: a name. budget: seconds, None for no limit. shrink: find the smallest case too, and run its script."""

    entry: str
    seed: int
    profile: str
    budget: float | None = None
    shrink: bool = False


@dataclass(frozen=True)
class Measurement:
    """What came of a task.

    found: whether a failure was reported; for an honest entry that is an accusation. check, kind, dtype, headline, recipe: of the clearest
    failure, "" and None without one. findings: how many failures were reported. cases: tried until the first failure, or in all;
    seconds: the same in time, cpu_seconds: in processor time of the process that searches. shrunk: logits of the smallest case, None
    where it was not looked for. script_fault: how its script ended where it did not show the bug. error: an error of xentfuzz itself.
    """

    entry: str
    seed: int
    profile: str
    found: bool = False
    check: str = ""
    kind: str = ""
    dtype: str = ""
    headline: str = ""
    recipe: dict[str, Any] | None = None
    findings: int = 0
    cases: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    shrunk: int | None = None
    script_fault: str = ""
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class _Clock:
    """A listener: the times until the search ended, before anything is shrunk."""

    def __init__(self) -> None:
        self.began = time.monotonic(), time.process_time()
        self.ended: tuple[float, float] | None = None

    def __call__(self, event: Event) -> None:
        if self.ended is None and isinstance(event, FailureFound):
            self.stop()

    def stop(self) -> None:
        self.ended = time.monotonic() - self.began[0], time.process_time() - self.began[1]


def measure_all(tasks: Sequence[Task], jobs: int) -> Iterator[Measurement]:
    """The measurements, in the order in which they are done."""
    return in_processes(MEASURING, tasks, jobs)


def measure(task: Task) -> Measurement:
    """Run `check` on the entry. Never raises for what the run does: an error of xentfuzz itself is part of the measurement."""
    kernels.kernel.cache_clear()
    blank = Measurement(task.entry, task.seed, task.profile)
    clock = _Clock()
    try:
        return _measured(task, blank, clock)
    except XentfuzzError as error:
        return replace(blank, error=str(error))
    except Exception as error:  # noqa: BLE001 - one entry must not take the others' figures along
        return replace(blank, error=f"{type(error).__name__}: {error}")


def _measured(task: Task, blank: Measurement, clock: _Clock) -> Measurement:
    subject = entry(task.entry)
    settings = Settings(
        kind="power",
        profile=get_profile(task.profile),
        seed=task.seed,
        budget=task.budget,
        isolate=True if subject.isolated else None,
        first_failure=subject.honest is None,
        shrink=task.shrink,
        listeners=(clock,),
    )
    report = run_checks([subject.implementation], settings)[0]
    if clock.ended is None:
        clock.stop()
    assert clock.ended is not None
    seconds, cpu_seconds = clock.ended
    run = replace(blank, cases=report.cases, seconds=round(seconds, 3), cpu_seconds=round(cpu_seconds, 3), findings=len(report.unexpected))
    return _with_failure(run, report.unexpected[0], shrunk=task.shrink) if report.unexpected else run


def _with_failure(run: Measurement, failure: Failure, *, shrunk: bool) -> Measurement:
    first = next(iter(failure.case.values()), None)
    return replace(
        run,
        found=True,
        check=failure.check,
        kind=failure.kind,
        dtype=failure.dtype,
        headline=failure.message.partition("\n")[0],
        recipe=failure.recipe,
        shrunk=int(first.size) if shrunk and first is not None else None,
        script_fault=script_fault(failure) if shrunk else "",
    )


def _died(task: Task) -> Measurement:
    return Measurement(task.entry, task.seed, task.profile, error="its process died")


MEASURING = Work(measure, _died)
