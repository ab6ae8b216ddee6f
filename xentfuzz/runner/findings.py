"""From raw failures to findings: the smallest case of each, what is special about it, one finding for one bug."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from xentfuzz.checks.check import Measure
from xentfuzz.checks.registry import check_names, find_check
from xentfuzz.failures.explain_case import explain
from xentfuzz.failures.failure import CRASH_KINDS, OF_SEVERAL_CALLS, WRONG_NUMBERS, Failure
from xentfuzz.recipes.draw import shrink
from xentfuzz.recipes.recipe import Recipe, recipe_from
from xentfuzz.runner.alone import as_found_alone, fails_alone
from xentfuzz.runner.contestant import Contestant, Found
from xentfuzz.runner.deadline import Deadline
from xentfuzz.runner.examine import examine
from xentfuzz.runner.interruption import Interruption
from xentfuzz.runner.profiles import Profile

# From the clearest to the most derived: a wrong value explains a wrong gradient, and both explain a broken identity.
CLEAREST_FIRST = (
    "raised",
    "shape",
    "dtype",
    "value",
    "special",
    "gradient",
    "accuracy",
    "accepted_invalid",
    "changed_input",
    "aliased_result",
    "relation",
)

# A crash costs a worker each time, a hang a time limit; shrinking has a limit of time, too.
CRASH_EVALUATIONS = 80

# By the cost of a check, whatever the profile; the failure of a case that takes minutes is reported as it is.
EXPENSIVE = {"large": 10, "huge": 0, "device": 0}


class Effort(NamedTuple):
    """How long a failure is made smaller: by the profile's number of calls, until the deadline, or until the user interrupts."""

    profile: Profile
    deadline: Deadline
    interruption: Interruption


def findings(contestant: Contestant, effort: Effort, shrunk: Callable[[Failure], None]) -> list[Failure]:
    """One Failure for each bug, clearest first but of varied kinds; `shrunk` is told of each as soon as it is known.

    What the user interrupts is left as small as it is by then, and what comes after it as it was found.
    """
    # What a finding is made of must not depend on how much else was wrong before.
    contestant.wrong_alone = None
    made: list[Failure] = []
    for found in sorted(contestant.found.values(), key=_clearness):
        related = _related(contestant, made, found, effort.interruption)
        if related is not None:
            _note_too(related, found.check.name, found.failure.kind)
            continue
        thrower = next((failure for failure in made if _same_exception(failure, found.failure)), None)
        if thrower is not None:
            _note_elsewhere(thrower, found.check.name)
            continue
        failure = _smallest(contestant, found, effort, made)
        alike = next((other for other in made if _alike(other, failure)), None)
        if alike is not None:
            _note_too(alike, failure.check, failure.kind)
            continue
        made.append(failure)
        shrunk(failure)
    made = _without_traces(made)
    for failure in made:
        failure.finish()
    return varied(made)


def _without_traces(made: list[Failure]) -> list[Failure]:
    """Without numbers that are wrong only after other calls, where another finding shows what a call leaves to the next."""
    cause = next((failure for failure in made if failure.kind == "stale_state" and failure.alone), None)
    if cause is None:
        return made
    traces = [failure for failure in made if failure.kind in WRONG_NUMBERS and not failure.alone]
    for failure in traces:
        _note_too(cause, failure.check, failure.kind)
    return [failure for failure in made if failure not in traces]


def varied(failures: Sequence[Failure]) -> list[Failure]:
    """The first of each kind before the second of any, for a summary shows but the first few."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, Failure]] = []
    for failure in failures:
        ranked.append((seen[failure.kind], failure))
        seen[failure.kind] += 1
    return [failure for _, failure in sorted(ranked, key=lambda pair: pair[0])]


def _related(contestant: Contestant, made: list[Failure], found: Found, interruption: Interruption) -> Failure | None:
    """One of those made that is the same bug."""
    if not interruption.happened:
        with interruption:
            return next((failure for failure in made if _explains(contestant, failure, found)), None)
    return None


def _note_too(failure: Failure, check: str, kind: str) -> None:
    """Note that the same bug shows in a check in this way, too."""
    seen = f"{check} ({kind})"
    if (check, kind) != (failure.check, failure.kind) and seen not in failure.also:
        failure.also.append(seen)


def _note_elsewhere(failure: Failure, check: str) -> None:
    if check != failure.check and check not in failure.elsewhere:
        failure.elsewhere.append(check)


# Shapes and other figures of the case at hand.
_FIGURES = re.compile(r"[\d(\[-][\d.,\s()\[\]eE+-]*")


def _same_exception(failure: Failure, other: Failure) -> bool:
    """Whether both are an exception of one function, of one type, with one text but for its figures."""
    first, second = (_FIGURES.sub("#", one.headline) for one in (failure, other))
    return {failure.kind, other.kind} == {"raised"} and first == second


def _clearness(found: Found) -> tuple[int, int, bool, int]:
    kind = found.failure.kind
    order = CLEAREST_FIRST.index(kind) if kind in CLEAREST_FIRST else -1
    within, gradient = 0, CLEAREST_FIRST.index("gradient")
    if found.check.family != "ordinary" and kind in WRONG_NUMBERS and order <= gradient:
        # What is wrong for finite logits too has nothing to do with infinities: the ordinary gradient comes first.
        order, within = gradient, 1 + order
    return order, within, found.check.cost != "call", check_names().index(found.check.name)


def _explains(contestant: Contestant, failure: Failure, found: Found) -> bool:
    """Whether `found` is the same bug seen by another check: it fails in the same way on that failure's smallest case too."""
    if failure.kind in CRASH_KINDS:
        return failure.kind == found.failure.kind
    if failure.kind == "accepted_invalid" and failure.check != found.check.name:
        return False  # what one lacks is another test than what the other lacks
    if failure.kind != found.failure.kind and not {failure.kind, found.failure.kind} <= WRONG_NUMBERS:
        return False
    verdict = examine(contestant, found.check, recipe_from(failure.recipe))
    if isinstance(verdict, Failure):
        failure.fails_too[found.check.name] = tuple(found.dtypes)
    if isinstance(verdict, Failure) and (verdict.kind == found.failure.kind or {verdict.kind, found.failure.kind} <= WRONG_NUMBERS):
        return True
    return found.failure.kind == "relation" and _breaks(contestant, failure, found)


def _alike(failure: Failure, other: Failure) -> bool:
    """Whether two findings are the same bug, larger and smaller: one needs nothing that the other does not need too.

    In another check it is the same bug where both need the same.
    """
    kinds = {failure.kind, other.kind}
    needs, others = set(failure.needs), set(other.needs)
    if kinds == {"stale_state"} and failure.check == other.check:
        return True
    if not (kinds <= WRONG_NUMBERS and needs and others):
        return False
    if failure.check == other.check or "accuracy" in kinds:
        return needs <= others or others <= needs
    return len(kinds) == 1 and needs == others


def _breaks(contestant: Contestant, failure: Failure, found: Found) -> bool:
    """Whether an identity is broken where the plain result is wrong already."""
    verdict = examine(contestant, find_check(failure.check), found.recipe)
    return isinstance(verdict, Failure) and verdict.kind in WRONG_NUMBERS


def _smallest(contestant: Contestant, found: Found, effort: Effort, made: Sequence[Failure]) -> Failure:
    """The smallest failure of what was found, as it is by itself, with what it needs; what is alike one of those made stays larger."""
    interruption = effort.interruption
    smallest = found.failure
    if not interruption.happened:
        with contestant.errors.kept("shrinking", found.check.name, found.recipe.dtype, found.recipe.to_dict()):
            smallest = _shrunk(contestant, found, effort)
    smallest.dtypes = tuple(found.dtypes)
    if not interruption.happened:
        with interruption, contestant.errors.kept("explaining", found.check.name, found.recipe.dtype, found.recipe.to_dict()):
            return _alone_and_explained(contestant, found, smallest, effort, made)
    return smallest


def _alone_and_explained(contestant: Contestant, found: Found, smallest: Failure, effort: Effort, made: Sequence[Failure]) -> Failure:
    if smallest.kind not in CRASH_KINDS and _evaluations(found, effort.profile):
        smallest = as_found_alone(contestant, found, smallest)
    if smallest.check != found.check.name and not any(_alike(other, smallest) for other in made):
        stale = Found(find_check(smallest.check), recipe_from(smallest.recipe), smallest, found.origin)
        smallest = _shrunk(contestant, stale, effort)
    smallest.dtypes = tuple(found.dtypes)
    explicable = (
        smallest.alone and smallest.kind not in CRASH_KINDS and smallest.check == found.check.name and _evaluations(found, effort.profile)
    )
    if explicable and not effort.deadline.has_passed():
        explanation = explain(recipe_from(smallest.recipe), _told(contestant, found, smallest.kind))
        smallest.needs, smallest.region = explanation.needs, explanation.region
    return smallest


def _shrunk(contestant: Contestant, found: Found, effort: Effort) -> Failure:
    smallest = found.failure

    def still_fails(recipe: Recipe) -> bool:
        nonlocal smallest
        verdict = examine(contestant, found.check, recipe)
        fails = isinstance(verdict, Failure) and _at_least(verdict.kind, smallest.kind)
        if fails and isinstance(verdict, Failure):
            smallest = verdict
        return fails

    evaluations = _evaluations(found, effort.profile)
    if evaluations and found.origin is not None and not effort.deadline.has_passed():
        origin = found.origin
        with effort.interruption:
            still_fails(shrink(origin.space, origin.seed, origin.count, found.recipe, still_fails, evaluations=evaluations))
    return smallest


def _at_least(kind: str, seen: str) -> bool:
    """Whether a failure is of the kind seen before, or, for a result that a laxer grade allows, one that no grade does."""
    return kind == seen or (seen == "accuracy" and kind in WRONG_NUMBERS)


def _evaluations(found: Found, profile: Profile) -> int:
    """How many calls a finding may cost after it was found."""
    if not found.recipe.complete:
        return 0
    if found.failure.kind in CRASH_KINDS:
        return CRASH_EVALUATIONS
    if found.check.cost in EXPENSIVE:
        return EXPENSIVE[found.check.cost]
    return profile.shrink_evaluations if found.check.cost in ("call", "relation") else profile.repeated_evaluations


def _told(contestant: Contestant, found: Found, kind: str) -> Callable[[Recipe], bool | None]:
    """Whether a neighbour of the smallest case fails in the same way; None where the implementation doesn't take it."""

    def still_fails(recipe: Recipe) -> bool | None:
        verdict = examine(contestant, found.check, recipe)
        if isinstance(verdict, Measure) and kind in OF_SEVERAL_CALLS and contestant.subject.isolated:
            return fails_alone(contestant, found.check, recipe)
        return isinstance(verdict, Failure) if isinstance(verdict, Failure | Measure) else None

    return still_fails
