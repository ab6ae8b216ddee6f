"""What a run was asked to do."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real

from xentfuzz.errors import UsageError
from xentfuzz.failures.expected import Expectations
from xentfuzz.failures.failure import Failure
from xentfuzz.runner.deadline import Deadline
from xentfuzz.runner.events import Event, Listener, tell
from xentfuzz.runner.profiles import Profile
from xentfuzz.runner.recorded import Recorded

CI_SEED = 0


@dataclass(frozen=True)
class Settings:
    """examples: per (check, dtype) instead of the profile's. budget: seconds. checks, dtypes: names, None for all.

    stored: recipes of earlier failures are tried first. recorded: arrays of a user's own model. require: features that must be supported.
    targets: (name, operation) -> the place in code by which it was given, where it was.
    first_failure: of each implementation, look no further once something was found. shrink: find the smallest case of each failure.
    known: findings of earlier runs on the same implementation: what has their cause is no finding again.
    """

    kind: str
    profile: Profile
    seed: int
    examples: int | None = None
    budget: float | None = None
    isolate: bool | None = None
    checks: tuple[str, ...] | None = None
    dtypes: tuple[str, ...] | None = None
    expected: Expectations | None = None
    recorded: Sequence[Recorded] = ()
    require: tuple[str, ...] = ()
    stored: bool = False
    targets: Mapping[tuple[str, str], str] = field(default_factory=dict)
    first_failure: bool = False
    shrink: bool = True
    known: Sequence[Failure] = ()
    listeners: Sequence[Listener] = ()

    def seconds(self, deadline: Deadline, left: int) -> float:
        """For the next of so many (implementation, operation) pairs: the profile's time, or its part of what a budget has left."""
        if deadline.at is None:
            return self.profile.seconds
        return max(0.0, deadline.at - time.monotonic()) / max(left, 1)

    def emit(self, event: Event) -> None:
        tell(self.listeners, event)


def require_sensible(examples: object, budget: object, seed: object, checks: object) -> None:
    """What `check` was given, where it is neither None nor usable. Raises UsageError with what was given and what is wanted."""
    for name, given, lowest in ("max_examples", examples, 1), ("seed", seed, 0):
        if given is not None and (isinstance(given, bool) or not isinstance(given, Integral) or given < lowest):
            raise UsageError(f"{name}={given!r}; wanted a whole number from {lowest} on, or None")
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, Real) or not float(budget) >= 0):
        raise UsageError(f"budget={budget!r}; wanted seconds, 0 or more, or None")
    if isinstance(checks, str):
        raise UsageError(f"checks={checks!r}; wanted a sequence of names, such as checks=[{checks!r}], or None")


def choose_seed(seed: int | None) -> int:
    """The given seed; 0 with CI=true, so that a build is repeatable; else a fresh one."""
    if seed is not None:
        return seed
    if os.environ.get("CI", "").lower() in ("1", "true"):
        return CI_SEED
    return secrets.randbelow(1 << 32)
