"""What a run was asked to do."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xentfuzz.failures.expected import Expectations
from xentfuzz.runner.events import Event, Listener
from xentfuzz.runner.profiles import Profile
from xentfuzz.runner.recorded import Recorded

CI_SEED = 0


@dataclass(frozen=True)
class Settings:
    """examples: per (check, dtype) instead of the profile's. budget: seconds. checks, dtypes: names, None for all.

    stored: recipes of earlier failures are tried first. recorded: arrays of a user's own model. require: features that must be supported.
    targets: (name, operation) -> the place in code by which it was given, where it was.
    first_failure: of each implementation, look no further once something was found. shrink: find the smallest case of each failure.
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
    listeners: Sequence[Listener] = ()

    def emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)


def choose_seed(seed: int | None) -> int:
    """The given seed; 0 with CI=true, so that a build is repeatable; else a fresh one."""
    if seed is not None:
        return seed
    if os.environ.get("CI", "").lower() in ("1", "true"):
        return CI_SEED
    return secrets.randbelow(1 << 32)
