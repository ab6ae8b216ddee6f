"""From what was found to a finding: the smallest case of it, as it is by itself, and what that case needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from xentfuzz.checks.check import Measure
from xentfuzz.checks.registry import find_check
from xentfuzz.failures.explain_case import explain
from xentfuzz.failures.failure import CRASH_KINDS, OF_SEVERAL_CALLS, WRONG_NUMBERS, Failure
from xentfuzz.recipes.draw import shrink
from xentfuzz.recipes.recipe import Recipe, recipe_from
from xentfuzz.runner.alone import as_found_alone, fails_alone
from xentfuzz.runner.causes import same_words
from xentfuzz.runner.contestant import Contestant, Found
from xentfuzz.runner.deadline import Deadline
from xentfuzz.runner.examine import examine
from xentfuzz.runner.interruption import Interruption
from xentfuzz.runner.profiles import Profile
from xentfuzz.runner.region import has, region_of
from xentfuzz.subjects.metered import Unaffordable

# A crash costs a worker each time, a hang a time limit; shrinking has a limit of time, too.
CRASH_EVALUATIONS = 80

# By the cost of a check, whatever the profile; the failure of a case that takes minutes is reported as it is.
EXPENSIVE = {"large": 10, "huge": 0, "device": 0}


class Effort(NamedTuple):
    """How long a failure is made smaller: by the profile's number of calls, until the deadline, or until the user interrupts."""

    profile: Profile
    deadline: Deadline
    interruption: Interruption


@dataclass(frozen=True)
class Shrinking:
    """One finding in the making. beyond: findings of which it is known to be another cause, which it must not become while it shrinks."""

    contestant: Contestant
    effort: Effort
    beyond: Sequence[Failure] = ()

    def smallest(self, found: Found, alike: Callable[[Failure], bool]) -> Failure:
        """The smallest failure of what was found, with what it needs; what is `alike` another finding stays larger."""
        interruption, kept = self.effort.interruption, self.contestant.errors.kept
        about = (found.check.name, found.recipe.dtype, found.recipe.to_dict())
        smallest = found.failure
        if not interruption.happened:
            with kept("shrinking", *about), suppress(Unaffordable):
                smallest = self._shrunk(found)
        smallest.dtypes = tuple(found.dtypes)
        if not interruption.happened:
            with interruption, kept("explaining", *about), suppress(Unaffordable):
                return self._alone_and_explained(found, smallest, alike)
        return smallest

    def _alone_and_explained(self, found: Found, smallest: Failure, alike: Callable[[Failure], bool]) -> Failure:
        contestant, costs = self.contestant, self._evaluations(found)
        if smallest.kind not in CRASH_KINDS and costs:
            smallest = as_found_alone(contestant, found, smallest)
        if smallest.check != found.check.name and not alike(smallest):
            stale = Found(find_check(smallest.check), recipe_from(smallest.recipe), smallest, found.origin)
            smallest = self._shrunk(stale)
        smallest.dtypes = tuple(found.dtypes)
        explicable = smallest.alone and smallest.kind not in CRASH_KINDS and smallest.check == found.check.name and costs
        if explicable and not self.effort.deadline.has_passed():
            explanation = explain(recipe_from(smallest.recipe), self._told(found, smallest.kind), smallest.dtypes)
            smallest.needs, smallest.region = explanation.needs, explanation.region
        return smallest

    def _shrunk(self, found: Found) -> Failure:
        smallest = found.failure
        regions = [region for region in map(region_of, self.beyond) if region]

        def still_fails(recipe: Recipe) -> bool:
            nonlocal smallest
            if any(has(region, recipe) for region in regions):
                return False
            verdict = examine(self.contestant, found.check, recipe)
            fails = isinstance(verdict, Failure) and _at_least(verdict.kind, smallest.kind)
            if fails and isinstance(verdict, Failure) and not any(_is_exception_of(other, verdict) for other in self.beyond):
                smallest = verdict
                return True
            return False

        evaluations = self._evaluations(found)
        if evaluations and found.origin is not None and not self.effort.deadline.has_passed():
            origin = found.origin
            with self.effort.interruption:
                still_fails(shrink(origin.space, origin.seed, origin.count, found.recipe, still_fails, evaluations=evaluations))
        return smallest

    def _evaluations(self, found: Found) -> int:
        """How many calls a finding may cost after it was found."""
        if not found.recipe.complete:
            return 0
        if found.failure.kind in CRASH_KINDS:
            return CRASH_EVALUATIONS
        if found.check.cost in EXPENSIVE:
            return EXPENSIVE[found.check.cost]
        profile = self.effort.profile
        return profile.shrink_evaluations if found.check.cost in ("call", "relation") else profile.repeated_evaluations

    def _told(self, found: Found, kind: str) -> Callable[[Recipe], bool | None]:
        """Whether a neighbour of the smallest case fails in the same way; None where it isn't taken, or there is no time left to ask."""
        contestant, deadline = self.contestant, self.effort.deadline

        def still_fails(recipe: Recipe) -> bool | None:
            if deadline.has_passed():
                return None
            verdict = examine(contestant, found.check, recipe)
            if isinstance(verdict, Measure) and kind in OF_SEVERAL_CALLS and contestant.subject.isolated:
                return fails_alone(contestant, found.check, recipe)
            return isinstance(verdict, Failure) if isinstance(verdict, Failure | Measure) else None

        return still_fails


def _at_least(kind: str, seen: str) -> bool:
    """Whether a failure is of the kind seen before, or, for a result that a laxer grade allows, one that no grade does."""
    return kind == seen or (seen == "accuracy" and kind in WRONG_NUMBERS)


def _is_exception_of(other: Failure, verdict: Failure) -> bool:
    return other.kind == "raised" and same_words(other, verdict)
