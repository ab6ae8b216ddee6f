"""A subject whose calls are timed: what they may take, and which are not made at all, follows from what calls took before."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from xentfuzz.implementation import Implementation
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.clock import CLOCK
from xentfuzz.subjects.cost import Costs, Work, works
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.outcome import NOT_TRIED, Call, Crash, Outcome
from xentfuzz.subjects.probe import Loaded
from xentfuzz.subjects.specialisation import Specialisations, specialisation

# Crashes that cost the time until they are noticed.
SLOW_CRASHES = ("hang", "out_of_memory")
# Memory that was used up sooner than the time needs no second look.
MOST_OF = 0.9
OUT_OF_TIME = "the time is used up"
TOO_LARGE = "a call of its size would take too much of the time"


class Unaffordable(Exception):
    """A call that is not made, for the time that it would take; the message says why. It says nothing about the implementation."""


@dataclass(frozen=True)
class Allowance:
    """What the calls of a subject may take. size_seconds: what a call's rows and elements may add to it; crash_seconds: lost in calls of a
    function that did not come back, after which it is not called.

    smaller_after_crash: after a call that did not come back, only smaller ones are made. probing: what is not called counts as taken.
    """

    size_seconds: float = math.inf
    crash_seconds: float = math.inf
    smaller_after_crash: bool = False
    probing: bool = False


class Calls(Loaded, Protocol):
    """A subject that knows which calls may compile."""

    specialisations: Specialisations


@dataclass
class Metered:
    """The same subject with a meter. until: when no call is made any more, by the clock.

    lost: function -> seconds in calls that did not come back; too_large: function -> the fewest elements of such a call.
    """

    inner: Calls
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], float] = CLOCK.now
    allowance: Allowance = field(default_factory=Allowance)
    until: float = math.inf
    costs: Costs = field(default_factory=Costs)
    lost: dict[str, float] = field(default_factory=dict)
    too_large: dict[str, int] = field(default_factory=dict)
    isolated: bool = field(init=False)
    notices: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.isolated, self.notices = self.inner.isolated, self.inner.notices

    @property
    def implementation(self) -> Implementation:
        return self.inner.implementation

    @implementation.setter
    def implementation(self, given: Implementation) -> None:
        self.inner.implementation = given

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    @capabilities.setter
    def capabilities(self, found: Capabilities) -> None:
        self.inner.capabilities = found

    def describe(self) -> dict[str, Any]:
        """The form and the parameters of each function."""
        return self.inner.describe()

    def differentiate(self, arguments: tuple[str, ...]) -> None:
        """Ask autodiff for the gradients of these arguments only."""
        self.inner.differentiate(arguments)

    def assume_renames(self, renames: dict[str, str]) -> None:
        """Pass what we call `ours` under its own name: own -> ours."""
        self.inner.assume_renames(renames)

    def assume_options(self, options: dict[str, tuple[Any, ...]]) -> None:
        """Take these values of options as declared, and the rest as not."""
        self.inner.assume_options(options)

    def close(self) -> None:
        self.inner.close()

    def allow(self, allowance: Allowance, until: float = math.inf) -> None:
        """Begin a part of the run, with what its calls may take; what was lost before counts no more."""
        self.allowance, self.until = allowance, until
        self.lost.clear()
        self.too_large.clear()

    def given_up(self, function: str) -> bool:
        """Whether a function is not called any more: too much time went into calls of it that did not come back."""
        return function in self.lost and self.lost[function] >= self.allowance.crash_seconds

    def out_of_time(self) -> bool:
        return self.clock() >= self.until

    def call(self, call: Call) -> Outcome:
        """One call. Raises Unaffordable; what is not called by a probe counts as taken."""
        steps = list(works(call, fresh=self.inner.specialisations.has_new_shapes(call)))
        reason = self._against(steps)
        if reason is not None:
            if self.allowance.probing:
                return NOT_TRIED
            raise Unaffordable(reason)
        outcome, seconds = self._limited(call, steps)
        if outcome.crash is not None:
            self._note_crash(steps, outcome.crash, seconds)
        elif len(steps) == 1 and outcome.results is not None and steps[0].function == call.function:
            self.costs.note(steps[0], outcome.seconds, new_kind=outcome.compiled)
        return outcome

    def _against(self, steps: Sequence[Work]) -> str | None:
        """Why the call is not made, or None."""
        if self.out_of_time():
            return OUT_OF_TIME
        for step in steps:
            if self.given_up(step.function):
                return f"{step.function} is not called any more, after too much time in calls that did not come back"
            if self.allowance.smaller_after_crash and step.elements >= self.too_large.get(step.function, math.inf):
                return f"{step.function} is not called with as many elements as in a call that did not come back"
        if not self.costs.evident:
            return None
        size = max((self.costs.of_size(step) for step in steps), default=0.0)
        smallest = max((self.costs.seconds(step._replace(rows=0, elements=0)) for step in steps), default=0.0)
        return TOO_LARGE if size > max(self.allowance.size_seconds, smallest) else None

    def _limited(self, call: Call, steps: Sequence[Work]) -> tuple[Outcome, float]:
        """What came of a call within a time limit of this subject's own, and the seconds that it took.

        The first that does not come back is made again in a fresh worker, with more time, before the implementation is said to hang.
        """
        known = self.inner.specialisations
        kind, hung_before, began = specialisation(call), known.hung, self.clock()
        expected, fresh = sum(self.costs.seconds(step) for step in steps), any(step.fresh for step in steps)
        limit = call.seconds or known.time_limit(kind, self.limits, expected, fresh=fresh)
        outcome = self.inner.call(replace(call, seconds=limit))
        if _did_not_return(outcome) and not hung_before and self.clock() - began >= MOST_OF * limit:
            again = self.inner.call(replace(call, seconds=known.patient_limit(kind, self.limits, limit)))
            known.hung = _did_not_return(again)
            outcome = outcome if known.hung else again
        return outcome, self.clock() - began

    def _note_crash(self, steps: Sequence[Work], crash: Crash, seconds: float) -> None:
        if crash.kind not in SLOW_CRASHES:
            return
        for step in steps:
            self.lost[step.function] = self.lost.get(step.function, 0.0) + seconds
            self.too_large[step.function] = min(step.elements, self.too_large.get(step.function, step.elements))


def _did_not_return(outcome: Outcome) -> bool:
    return outcome.crash is not None and outcome.crash.kind in SLOW_CRASHES
