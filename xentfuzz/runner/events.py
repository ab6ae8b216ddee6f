"""What happens in a run, as events; terminal, JSON, Markdown and JUnit listen to them and never touch the runner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from xentfuzz.errors import XentfuzzError
from xentfuzz.failures.failure import Failure
from xentfuzz.runner.results import CheckReport, CheckResult
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.harness_errors import ErrorLog, HarnessError


@dataclass(frozen=True)
class RunStarted:
    """kind: "check", "run", ...; total: (implementation, operation) pairs to come; seconds: that it takes at most, None where not known."""

    kind: str
    seed: int
    profile: str
    total: int
    seconds: float | None = None


@dataclass(frozen=True)
class SubjectStarted:
    implementation: str
    operation: str
    card: Capabilities


@dataclass(frozen=True)
class SubjectUnavailable:
    implementation: str
    operation: str
    reason: str


@dataclass(frozen=True)
class Progress:
    """phase: "corpus", "search", "shrink", "benchmark"; done of total cases (total 0: unknown)."""

    implementation: str
    operation: str
    check: str
    dtype: str
    phase: str
    done: int
    total: int


@dataclass(frozen=True)
class FailureFound:
    """A new finding, before it is shrunk (shrunk=False) and after."""

    failure: Failure
    shrunk: bool
    expected: str | None = None


@dataclass(frozen=True)
class CheckFinished:
    implementation: str
    operation: str
    result: CheckResult


@dataclass(frozen=True)
class SubjectFinished:
    report: CheckReport


@dataclass(frozen=True)
class AgreementMeasured:
    """Pairwise agreement on the common corpus of one operation: (name, name) -> {"cases", "identical", "worst_ratio"}."""

    operation: str
    pairs: dict[tuple[str, str], dict[str, float]]


@dataclass(frozen=True)
class BenchmarkFinished:
    """rows: the records of `xentfuzz.benchmark` (see its docstring)."""

    record: dict[str, Any]


@dataclass(frozen=True)
class HarnessFailed:
    """An error of xentfuzz that belongs to no report of an implementation: a listener's, a benchmark's."""

    error: HarnessError


@dataclass(frozen=True)
class RunFinished:
    """interrupted: by Ctrl-C or SIGTERM; what was found until then is in the reports."""

    seconds: float
    interrupted: bool = False


Event = (
    RunStarted
    | SubjectStarted
    | SubjectUnavailable
    | Progress
    | FailureFound
    | CheckFinished
    | SubjectFinished
    | AgreementMeasured
    | BenchmarkFinished
    | HarnessFailed
    | RunFinished
)
Listener = Callable[[Event], None]


def tell(listeners: Sequence[Listener], event: Event) -> None:
    """Tell all listeners; one that fails unexpectedly misses this event, and the others are told that, too."""
    for listener in listeners:
        try:
            listener(event)
        except XentfuzzError:
            raise
        except Exception as error:  # noqa: BLE001 - a report that can't be written costs no other, and no run
            if not isinstance(event, HarnessFailed):
                name = type(listener).__name__
                made = ErrorLog().note(error, f"telling {name} of {type(event).__name__}")
                tell([other for other in listeners if other is not listener], HarnessFailed(made))
