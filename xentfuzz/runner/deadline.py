"""When a run has to come to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A moment after which nothing new is begun; never for None."""

    at: float | None

    @staticmethod
    def after(seconds: float | None) -> Deadline:
        return Deadline(None if seconds is None else time.monotonic() + seconds)

    def has_passed(self) -> bool:
        return self.at is not None and time.monotonic() >= self.at
