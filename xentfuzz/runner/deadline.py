"""When a run has to come to its end, and how its time is shared out."""

from __future__ import annotations

import time
from dataclasses import dataclass

# Of the time that a check has: for trying cases, where calls did not come back, where something else was found, and where nothing was; for
# the rest, up to the second number, the smallest case of each finding is looked for. What is left is for the report.
TRYING_WITH_SLOW_CRASHES, FINDINGS_WITH_SLOW_CRASHES = 0.32, 0.42
TRYING_WITH_FINDINGS, FINDINGS = 0.7, 0.93
TRYING = 0.86
# On a busy machine, times as long by the clock on the wall.
BUSY = 2.0
# What the size of a call may add to it, most of all calls and once in a while.
ONE_CASE = 1 / 300
ONE_CALL = 1 / 50
# Calls of a case, by the cost of its check (see COSTS): what a call may take is shared out among them. Where it is not said, one.
CALLS = {"relation": 4, "protocol": 16}
# For finding out what calls of a few sizes take.
GAUGING = 0.06
# Lost in calls of one function that did not come back, before it is not called any more.
CRASHES = 0.1
# Spent on what a compiler has not seen yet, of the time so far.
NEW_SHAPES = 0.4


@dataclass(frozen=True)
class Deadline:
    """A moment after which nothing new is begun; never for None."""

    at: float | None

    @staticmethod
    def after(seconds: float | None) -> Deadline:
        return Deadline(None if seconds is None else time.monotonic() + seconds)

    def has_passed(self) -> bool:
        return self.at is not None and time.monotonic() >= self.at
