"""Whether a finding is there in a worker that has seen nothing else, or is the trace of an earlier call."""

from __future__ import annotations

from xentfuzz.checks.check import Check
from xentfuzz.checks.registry import find_check
from xentfuzz.failures.failure import Failure
from xentfuzz.recipes.recipe import Recipe, recipe_from
from xentfuzz.runner.contestant import Contestant
from xentfuzz.runner.examine import examine

LOOKS_AT_EARLIER_CALLS = "no_memory_of_earlier_calls"


def as_found_alone(contestant: Contestant, check: Check, first: Recipe, smallest: Failure) -> Failure:
    """The smallest case that fails by itself: `smallest`, else `first`, the case before shrinking; or what earlier calls do to them.

    Shrinking makes hundreds of calls in one worker, so that what an implementation keeps from one to the next can make any case fail.
    """
    if not contestant.subject.isolated:
        return smallest
    candidates = (recipe_from(smallest.recipe), first)
    for recipe in candidates:
        verdict = _alone(contestant, check, recipe)
        if isinstance(verdict, Failure) and verdict.kind == smallest.kind:
            return verdict
    for recipe in candidates:
        stale = _alone(contestant, find_check(LOOKS_AT_EARLIER_CALLS), recipe)
        if stale is not None:
            return stale
    smallest.message += "\nonly after other calls, or with what they leave in memory: by itself, in a process of its own, the case passes"
    return smallest


def _alone(contestant: Contestant, check: Check, recipe: Recipe) -> Failure | None:
    contestant.subject.close()
    verdict = examine(contestant, check, recipe)
    return verdict if isinstance(verdict, Failure) else None
