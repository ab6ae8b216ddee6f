"""Peak memory of a call, in a fresh process: in one that has worked before, what its allocator kept would hide what the call needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xentfuzz.benchmark.inputs import TimedInput
from xentfuzz.checks.protocol import perform
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.errors import XentfuzzError
from xentfuzz.failures.failure import Failure
from xentfuzz.operations import get_operation
from xentfuzz.subjects.isolated import Isolated
from xentfuzz.subjects.metered import Metered
from xentfuzz.subjects.subject import Subject
from xentfuzz.worker.thread_count import thread_variables


def measure_memory(
    subject: Subject, given: TimedInput, measure: str, ways: Mapping[str, tuple[str, ...]], threads: int
) -> list[dict[str, Any]]:
    """A row (see `records.py`) for each of `ways` of an isolated subject of the CPU: by how much a call raises the peak of resident memory
    over what a process has after a warm-up call.
    """
    if not isinstance(subject, Metered) or not subject.isolated or subject.implementation.device != "cpu":
        return []
    name, point = subject.implementation.name, given.point.described()
    return [
        {"implementation": f"{name}{way}", **point, "measure": measure, **_rise(subject, functions, given, threads)}
        for way, functions in ways.items()
    ]


def _rise(subject: Metered, functions: tuple[str, ...], given: TimedInput, threads: int) -> dict[str, Any]:
    fresh = None
    try:
        fresh = Isolated(subject.implementation, subject.limits, thread_variables(threads))
        fresh.capabilities = subject.capabilities
        trial = Trial(get_operation(given.point.operation), given.case, given.evaluation, fresh)
        found = perform(trial, "peak_memory", [(function, given.case) for function in functions], threads=threads)
        return {"rise": int(found["rise"]), "reason": ""}
    except (Unsupported, Failure, XentfuzzError) as reason:
        return {"rise": None, "reason": str(reason).partition("\n")[0]}
    finally:
        if fresh is not None:
            fresh.close()
