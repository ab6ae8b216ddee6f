"""Two versions of one kernel on the same cases, each in a worker of its own: a record of what became better and what became worse.

    {"operation", "profile", "seed", "interrupted", "too_busy",
     "findings": {"new", "gone", "both"}, "no_longer_taken", "newly_taken",
     "errors": [{"function", "dtype", "cases", "grown", "shrunk", "p", "counts", "old_worst", "new_worst"}],
     "grown": [{"recipe", "function", "old", "new"}],
     "times": changes (see `xentfuzz.benchmark.baseline`), "wrong_when_timed": rows, "memory": [{..., "old", "new", "grew"}],
     "worse": [a line each]}

findings new, gone: check, kind, dtype, message and recipe of each; both: how many. grown: the cases whose error / allowed error grew by
half, the worst first; errors tells whether they are more than chance explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from xentfuzz.benchmark.grid import Grid
from xentfuzz.benchmark.run import benchmark
from xentfuzz.errors import UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.events import Event, Listener, RunFinished
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.results import CheckReport
from xentfuzz.runner.settings import Settings
from xentfuzz.subjects.open import open_subject
from xentfuzz.versions.errors import ErrorPair, error_pairs, growths
from xentfuzz.versions.findings import in_words, lacking, not_taken
from xentfuzz.versions.times import NEW, OLD, failed_when_timed, memory_changes, time_changes
from xentfuzz.versions.worse import worse

# So many cases whose error grew are kept in a record.
KEPT_CASES = 20


class _Interruption:
    """A listener: whether the checks were interrupted."""

    def __init__(self) -> None:
        self.happened = False

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self.happened |= event.interrupted


def compare_versions(
    old: Implementation,
    new: Implementation,
    grid: Grid,
    *,
    profile: str = "quick",
    budget: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    listeners: Sequence[Listener] = (),
) -> dict[str, Any]:
    """The record. grid: what is timed; profile, budget: of the checks, as in `xentfuzz check`; the cases of errors are the profile's.

    Raises UsageError where one of the two can't be loaded, or they are of different operations.
    """
    if old.operation != new.operation:
        raise UsageError(f"the old version is a {old.operation}, the new one a {new.operation}; choose one with --operation")
    old, new = replace(old, name=OLD), replace(new, name=NEW)
    interruption = _Interruption()
    heard: list[Listener] = [*listeners, interruption]
    settings = Settings("compare", get_profile(profile), seed, budget=budget, isolate=True, listeners=heard)
    reports = run_checks([old, new], settings)
    _require_both(reports, (old, new))
    record = {"operation": old.operation, "profile": profile, "seed": seed, **_findings(reports, old, new)}
    if not interruption.happened:
        record |= _errors(old, new, profile, seed)
        record |= _times(benchmark([old, new], profile=profile, grid=grid, seed=seed, listeners=heard, isolate=True, threads=threads))
    record["interrupted"] = interruption.happened or record.get("interrupted", False)
    return record | {"worse": worse(record)}


def _require_both(reports: Sequence[CheckReport], wanted: Sequence[Implementation]) -> None:
    opened = {report.implementation for report in reports}
    for implementation in wanted:
        if implementation.name not in opened:
            # Opened once more for the reason why it can't be.
            open_subject(implementation, isolate=True).close()


def _findings(reports: Sequence[CheckReport], old: Implementation, new: Implementation) -> dict[str, Any]:
    before, after = (next(report for report in reports if report.implementation == one.name) for one in (old, new))
    appeared = lacking(after.unexpected, old, before.failures)
    gone = lacking(before.unexpected, new, after.failures)
    return {
        "findings": {
            "new": [in_words(failure) for failure in appeared],
            "gone": [in_words(failure) for failure in gone],
            "both": len(after.unexpected) - len(appeared),
        },
        "no_longer_taken": not_taken(before.card, after.card),
        "newly_taken": not_taken(after.card, before.card),
    }


def _errors(old: Implementation, new: Implementation, profile: str, seed: int) -> dict[str, Any]:
    with closing(open_subject(old, isolate=True)) as before, closing(open_subject(new, isolate=True)) as after:
        pairs = list(error_pairs(before, after, get_profile(profile), seed))
    return {
        "errors": [growth.to_dict() for growth in growths(pairs)],
        "grown": [pair.to_dict() for pair in sorted(filter(ErrorPair.grew, pairs), key=lambda pair: -pair.new)[:KEPT_CASES]],
    }


def _times(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "times": [change.to_dict() for change in time_changes(record)],
        "wrong_when_timed": failed_when_timed(record),
        "memory": memory_changes(record),
        "too_busy": record["too_busy"],
        "threads": record["threads"],
        "interrupted": record["interrupted"],
    }
