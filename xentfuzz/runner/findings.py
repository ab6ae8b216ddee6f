"""From raw failures to findings: one for each cause, the smallest case of each, what its author should read first in front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field

from xentfuzz.checks.registry import find_check
from xentfuzz.dtypes import FORMATS
from xentfuzz.failures.failure import WRONG_NUMBERS, Failure
from xentfuzz.recipes.recipe import recipe_from
from xentfuzz.runner.causes import is_void, left_of
from xentfuzz.runner.contestant import Contestant, Found
from xentfuzz.runner.neutral import SIXTEEN_BIT_GRADE
from xentfuzz.runner.order import clearness, in_reading_order
from xentfuzz.runner.region import has, region_of
from xentfuzz.runner.smallest import Effort, Shrinking
from xentfuzz.runner.unknown_forms import name_form, unknown_form
from xentfuzz.subjects.metered import Unaffordable

# Causes that one kind in one check is looked through for, beyond the first, and all of them together: each costs a shrinking.
MORE_CAUSES, MORE_CAUSES_IN_ALL = 2, 6


def findings(contestant: Contestant, effort: Effort, shrunk: Callable[[Failure], None], known: Sequence[Failure] = ()) -> list[Failure]:
    """One Failure for each cause, in the order in which they should be read; `shrunk` is told of each as soon as it is known.

    known: findings of an earlier run, the causes of which have none here. What the user interrupts is left as small as it is by then, and
    what comes after it as it was found.
    """
    # What a finding is made of must not depend on how much else was wrong before.
    contestant.wrong_alone = None
    grouping = _Grouping(contestant, effort, shrunk, list(known))
    for found in sorted(contestant.found.values(), key=clearness):
        grouping.add(found)
    contestant.explained_by = [failure for failure in grouping.explaining if failure in known]
    made = _without_traces([failure for failure in grouping.made if failure not in known])
    if not effort.interruption.happened:
        with effort.interruption, suppress(Unaffordable):
            made = _without_void_proofs(contestant, made)
    for failure in made:
        _name_accuracy(contestant, failure)
        name_form(failure)
        failure.finish()
    return in_reading_order(made)


def _name_accuracy(contestant: Contestant, failure: Failure) -> None:
    """Say of 16-bit results that carry errors of 16-bit intermediates that they do, and by how much at worst."""
    if find_check(failure.check).cost != "call":
        return  # what only very many rows or classes get wrong is told by how many they are
    dtypes = {failure.dtype, *failure.dtypes}
    if failure.details.get("meets") != SIXTEEN_BIT_GRADE or any(FORMATS[name].bits != 16 for name in dtypes):
        return
    declared = contestant.subject.implementation.grade_for(failure.dtype)
    results = [result for (_, dtype), result in contestant.results.items() if dtype in dtypes and result.status == "failed"]
    worst = max(results, key=lambda result: result.worst_ratio, default=None)
    at_worst = f"\nat worst {worst.worst_ratio:.3g} times the allowed error ({worst.check}, {worst.dtype})" if worst else ""
    words = f"16-bit results carry errors of 16-bit intermediates: within {SIXTEEN_BIT_GRADE}, not within {declared}"
    failure.message = f"{words}\n{failure.message}{at_worst}"


@dataclass
class _Grouping:
    """The findings made so far, and what becomes of the next one."""

    contestant: Contestant
    effort: Effort
    shrunk: Callable[[Failure], None]
    made: list[Failure]
    more: int = field(default=0, init=False)
    explaining: list[Failure] = field(default_factory=list, init=False)

    def add(self, found: Found) -> None:
        """Enter what was found: as another sign of a known cause, as a finding, or as several where its cases have several causes."""
        for round_ in range(1 + MORE_CAUSES):
            left, beyond = self._left(found)
            if left is None:
                return
            self.more += bool(beyond)
            if self.more > MORE_CAUSES_IN_ALL or (round_ and left is found):
                return
            found = left
            self._make(found, beyond)
            if not found.others:
                return

    def _left(self, found: Found) -> tuple[Found | None, list[Failure]]:
        """What no finding explains, and the findings that explain the rest."""
        left: Found | None = found
        beyond: list[Failure] = []
        for failure in self.made:
            if left is None:
                break
            before = left
            if not self.effort.interruption.happened:
                with self.effort.interruption, self._kept("looking for its cause", found), suppress(Unaffordable):
                    left = left_of(self.contestant, failure, before)
            if left is not before:
                _note(failure, found)
                beyond.append(failure)
                self.explaining.append(failure)
        return left, beyond

    def _kept(self, doing: str, found: Found) -> AbstractContextManager[None]:
        """What goes wrong meanwhile is an error of xentfuzz, and the finding remains."""
        return self.contestant.errors.kept(doing, found.check.name, found.recipe.dtype, found.recipe.to_dict())

    def _make(self, found: Found, beyond: Sequence[Failure]) -> None:
        shrinking = Shrinking(self.contestant, self.effort, beyond)
        failure = shrinking.smallest(found, lambda smallest: self._alike(smallest) is not None)
        if self._replaces(failure, beyond):
            return
        alike = self._alike(failure)
        if alike is not None:
            _note_too(alike, failure.check, failure.kind)
            self.explaining.append(alike)
        else:
            self.made.append(failure)
            self.shrunk(failure)

    def _alike(self, failure: Failure) -> Failure | None:
        return next((other for other in self.made if _alike(other, failure)), None)

    def _replaces(self, failure: Failure, narrower: Sequence[Failure]) -> bool:
        """Take it in the place of one that it explains: the same check on a case that needs less."""
        region = region_of(failure)
        for other in narrower:
            same = failure.check == other.check and {failure.kind, other.kind} <= WRONG_NUMBERS
            if same and has(region, recipe_from(other.recipe)):
                self.made[self.made.index(other)] = failure
                failure.also, failure.elsewhere, failure.fails_too = other.also, other.elsewhere, other.fails_too
                failure.dtypes = tuple(dict.fromkeys((*failure.dtypes, *other.dtypes)))
                return True
        return False


def _without_traces(made: list[Failure]) -> list[Failure]:
    """Without numbers that are wrong only after other calls, where another finding shows what a call leaves to the next."""
    cause = next((failure for failure in made if failure.kind == "stale_state" and failure.alone), None)
    if cause is None:
        return made
    traces = [failure for failure in made if failure.kind in WRONG_NUMBERS and not failure.alone]
    for failure in traces:
        _note_too(cause, failure.check, failure.kind)
    return [failure for failure in made if failure not in traces]


def _without_void_proofs(contestant: Contestant, made: list[Failure]) -> list[Failure]:
    """Without what a finding that results vary by themselves takes the proof of."""
    varying = next((failure for failure in made if failure.kind == "nondeterministic"), None)
    if varying is None:
        return made
    void = [failure for failure in made if is_void(contestant, failure, varying)]
    for failure in void:
        _note_too(varying, failure.check, failure.kind)
        varying.also += [seen for seen in failure.also if seen not in varying.also and seen != f"{varying.check} ({varying.kind})"]
    return [failure for failure in made if failure not in void]


def _note(failure: Failure, found: Found) -> None:
    if {failure.kind, found.failure.kind} == {"raised"}:
        if found.check.name not in (failure.check, *failure.elsewhere):
            failure.elsewhere.append(found.check.name)
        return
    _note_too(failure, found.check.name, found.failure.kind)
    if found.failure.kind == failure.kind == "accuracy":
        failure.dtypes = tuple(dict.fromkeys((*failure.dtypes, *found.dtypes)))


def _note_too(failure: Failure, check: str, kind: str) -> None:
    """Note that the same bug shows in a check in this way, too."""
    seen = f"{check} ({kind})"
    if (check, kind) != (failure.check, failure.kind) and seen not in failure.also:
        failure.also.append(seen)


def _alike(failure: Failure, other: Failure) -> bool:
    """Whether two findings are the same bug, larger and smaller: one needs nothing that the other does not need too.

    In another check it is the same bug where both need the same.
    """
    kinds = {failure.kind, other.kind}
    if kinds == {"stale_state"} and failure.check == other.check:
        return True
    if kinds == {"accuracy"} and failure.details.get("meets") == other.details.get("meets") == SIXTEEN_BIT_GRADE:
        return not (failure.needs and other.needs)
    if unknown_form(failure) is not None and unknown_form(failure) == unknown_form(other):
        return True
    needs, others = set(failure.needs), set(other.needs)
    if not (kinds <= WRONG_NUMBERS and needs and others):
        return False
    if failure.check == other.check or "accuracy" in kinds:
        return needs <= others or others <= needs
    return region_of(failure) == region_of(other) and bool(region_of(failure))
