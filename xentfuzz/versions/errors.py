"""The errors of two versions on the same cases, as shares of the allowed error, and whether they grew.

A single case proves little: another order of summation rounds otherwise, and the error of one case may double while that of the next one
halves. So a version counts as less accurate where more cases grew than chance explains, or where the largest error of all grew.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from xentfuzz.checks.refusal import refusal
from xentfuzz.checks.repeat import JUDGES
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.failures.failure import Failure
from xentfuzz.operations import get_operation
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.runner.profiles import Profile
from xentfuzz.runner.results import json_number
from xentfuzz.runner.spaces import common_space, own_space
from xentfuzz.subjects.metered import Unaffordable
from xentfuzz.subjects.subject import Subject

# A case grew where its error / allowed error did so by half.
GREW = 1.5
# An error below this share of the allowed one is the luck of a rounding.
NOTICEABLE = 1 / 16
# Of the sign test: how probable so many grown cases are where growing and shrinking are equally likely.
SIGNIFICANCE = 0.01


@dataclass(frozen=True)
class ErrorPair:
    """error / allowed error of what one function gave on one case; infinite where it gave nothing that has an error."""

    recipe: Recipe
    function: str
    old: float
    new: float

    def grew(self) -> bool:
        return grew(self.old, self.new)

    def to_dict(self) -> dict[str, Any]:
        return {"recipe": self.recipe.to_dict(), "function": self.function, "old": json_number(self.old), "new": json_number(self.new)}


def grew(before: float, after: float) -> bool:
    """Whether an error / allowed error is noticeable and grew by half."""
    return after >= NOTICEABLE and after > GREW * before


def error_pairs(old: Subject, new: Subject, profile: Profile, seed: int) -> Iterator[ErrorPair]:
    """On as many ordinary cases of each dtype as the profile has, of those that both take."""
    operation = get_operation(old.implementation.operation)
    for dtype in [name for name in old.capabilities.dtypes if name in new.capabilities.dtypes]:
        space = own_space(common_space(operation, dtype, "ordinary"), operation, old.capabilities)
        space = None if space is None else own_space(space, operation, new.capabilities)
        if space is None:
            continue
        sized = profile.size(space, simulator=old.implementation.simulator or new.implementation.simulator)
        for recipe in draw_corpus(sized, zlib.crc32(f"{seed}/{dtype}".encode()), profile.cases["ordinary"]):
            yield from _on_case(old, new, recipe)


def _on_case(old: Subject, new: Subject, recipe: Recipe) -> Iterator[ErrorPair]:
    operation, case = get_operation(recipe.operation), expand(recipe)
    layouts = {array.layout for array in recipe.arrays.values()}
    if any(refusal(case, operation, subject.capabilities, layouts) for subject in (old, new)):
        return
    evaluation = operation.evaluate(case)
    trials = [Trial(operation, case, evaluation, subject) for subject in (old, new)]
    for function in [name for name in old.capabilities.functions if name in new.capabilities.functions]:
        before, after = (_error(trial, function) for trial in trials)
        if before is not None and after is not None:
            yield ErrorPair(recipe, function, before, after)


def _error(trial: Trial, function: str) -> float | None:
    """None where it is not told."""
    try:
        measure = JUDGES[function](trial)
    except (Unsupported, Unaffordable):
        return None
    except Failure as failure:
        return float(failure.details.get("ratio", math.inf))
    return measure.ratio if measure.compared else None


@dataclass(frozen=True)
class Growth:
    """Of one function in one dtype, over so many cases."""

    function: str
    dtype: str
    cases: int
    grown: int
    shrunk: int
    old_worst: float
    new_worst: float

    @property
    def p(self) -> float:
        """How probable it is that at least so many of the cases that changed grew, by chance."""
        changed = self.grown + self.shrunk
        return float(sum(math.comb(changed, count) for count in range(self.grown, changed + 1)) / 2**changed)

    @property
    def counts(self) -> bool:
        """Whether errors are larger than chance explains."""
        return self.p < SIGNIFICANCE or grew(self.old_worst, self.new_worst)

    def to_dict(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("function", "dtype", "cases", "grown", "shrunk", "p", "counts")},
            "old_worst": json_number(self.old_worst),
            "new_worst": json_number(self.new_worst),
        }


def growths(pairs: Sequence[ErrorPair]) -> list[Growth]:
    """A row for each function and dtype."""
    kinds = dict.fromkeys((pair.function, pair.recipe.dtype) for pair in pairs)
    return [_growth(*kind, [pair for pair in pairs if (pair.function, pair.recipe.dtype) == kind]) for kind in kinds]


def _growth(function: str, dtype: str, pairs: Sequence[ErrorPair]) -> Growth:
    return Growth(
        function,
        dtype,
        len(pairs),
        sum(pair.grew() for pair in pairs),
        sum(grew(pair.new, pair.old) for pair in pairs),
        max(pair.old for pair in pairs),
        max(pair.new for pair in pairs),
    )
