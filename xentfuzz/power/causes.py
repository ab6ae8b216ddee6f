"""How many findings a full check makes of one planted cause: one where it is told as what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from xentfuzz.errors import XentfuzzError
from xentfuzz.gallery.catalogue import entry
from xentfuzz.implementation import Implementation
from xentfuzz.power.measurement import Task
from xentfuzz.power.parallel import Work, in_processes
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings

# Entries of the gallery are declared whole; any other target is tried as a user gives it.
PLACE = ":"


@dataclass(frozen=True)
class Told:
    """What a check of one target told. found: (check, kind) of each finding in reading order; error: of xentfuzz itself."""

    target: str
    found: tuple[tuple[str, str], ...] = ()
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def told_of_all(tasks: Sequence[Task], jobs: int) -> Iterator[Told]:
    """In the order in which they are done."""
    return in_processes(TELLING, tasks, jobs)


def told(task: Task) -> Told:
    """Check the task's entry, or the target "FILE.py:ATTRIBUTE" that it names, to the end. Never raises for what the run does."""
    try:
        implementation, isolate = _target(task.entry)
        settings = Settings("power", get_profile(task.profile), task.seed, budget=task.budget, isolate=isolate)
        report = run_checks([implementation], settings)[0]
    except XentfuzzError as error:
        return Told(task.entry, error=str(error))
    except Exception as error:  # noqa: BLE001 - one target must not take the others' figures along
        return Told(task.entry, error=f"{type(error).__name__}: {error}")
    return Told(task.entry, tuple((failure.check, failure.kind) for failure in report.unexpected))


def _target(name: str) -> tuple[Implementation, bool | None]:
    if PLACE in name:
        from xentfuzz.subjects.target import resolve  # noqa: PLC0415 - the gallery needs no probing

        return resolve(name), None
    subject = entry(name)
    return subject.implementation, True if subject.isolated else None


def distribution(found: Sequence[Told]) -> dict[str, float]:
    """Of the targets of which anything was told: how many, and the median, 90th percentile and largest number of findings."""
    counts = [len(one.found) for one in found if one.found]
    if not counts:
        return {"targets": 0, "median": 0, "percentile_90": 0, "most": 0}
    percentile = quantiles(counts, n=10, method="inclusive")[-1] if len(counts) > 1 else counts[0]
    return {"targets": len(counts), "median": median(counts), "percentile_90": percentile, "most": max(counts)}


def _died(task: Task) -> Told:
    return Told(task.entry, error="its process died")


TELLING = Work(told, _died)
