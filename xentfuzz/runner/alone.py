"""Whether a finding is there in a worker that has seen nothing else, or is the trace of an earlier call."""

from __future__ import annotations

from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.registry import find_check
from xentfuzz.failures.failure import WRONG_NUMBERS, Failure
from xentfuzz.recipes.recipe import Recipe, recipe_from
from xentfuzz.runner.contestant import Contestant, Found
from xentfuzz.runner.examine import examine

LOOKS_AT_EARLIER_CALLS = "no_memory_of_earlier_calls"

# What may differ from call to call without any earlier call's doing.
BY_CHANCE = {"nondeterministic", "thread_unsafe"}
PASSES_ALONE = "by itself, in a process of its own, the case passes"


def as_found_alone(contestant: Contestant, found: Found, smallest: Failure) -> Failure:
    """The smallest case that fails by itself: `smallest`, else the case before shrinking; or what earlier calls do to them.

    Shrinking makes hundreds of calls in one worker, so that what an implementation keeps from one to the next can make any case fail. Where
    no case fails by itself, it is the failure as it was found, marked as not `alone`: what shrinking made of it is not its cause.
    """
    if not contestant.subject.isolated:
        return smallest
    candidates = (recipe_from(smallest.recipe), found.recipe)
    tried = False
    for recipe in candidates:
        verdict = _alone(contestant, found.check, recipe)
        if isinstance(verdict, Failure) and verdict.kind == smallest.kind:
            return verdict
        tried |= verdict is not None
    if not tried:
        # No call was made, for want of time: nothing is known.
        return smallest
    for recipe in candidates if smallest.kind in WRONG_NUMBERS else ():
        stale = _alone(contestant, find_check(LOOKS_AT_EARLIER_CALLS), recipe)
        if isinstance(stale, Failure):
            return stale
    original = found.failure
    original.alone = False
    when = "now and then, or only after other calls" if original.kind in BY_CHANCE else "only after other calls"
    original.message += f"\n{when}, or with what they leave in memory: {PASSES_ALONE}"
    return original


def fails_alone(contestant: Contestant, check: Check, recipe: Recipe) -> bool | None:
    """Whether a check fails on a recipe in a worker that has seen nothing else; None where the implementation doesn't take it."""
    verdict = _alone(contestant, check, recipe)
    return None if verdict is None else isinstance(verdict, Failure)


def _alone(contestant: Contestant, check: Check, recipe: Recipe) -> Failure | Measure | None:
    contestant.subject.close()
    verdict = examine(contestant, check, recipe)
    return verdict if isinstance(verdict, Failure | Measure) else None
