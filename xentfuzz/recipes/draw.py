"""Corpora, directed search and shrinking: what the runner asks of recipes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from math import prod

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.errors import NoSuchExample

from xentfuzz.recipes.budget import Budget, SpentError
from xentfuzz.recipes.corpus import draw_corpus, recorded_corpus
from xentfuzz.recipes.polish import polish
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.space import Space
from xentfuzz.recipes.strategies import ORIGIN, recipes, recorded_recipes

# Cases of a check that fail in so many different ways are enough of a start for whoever mends it.
MOST_KINDS = 4
SMALL_ENOUGH = 64  # logits of a case that polishing has written out, so that nothing more can be taken away
FEW = 8  # logits that are read at a glance: nothing smaller is looked for
REDRAWN = 120  # small cases that are drawn afresh in place of one that is not to be had that small
LARGEST_SCORE = 1e300  # Hypothesis takes finite scores only
_KEY = b"xentfuzz"


def shrink(
    space: Space,
    seed: int,
    count: int,
    failing: Recipe,
    still_fails: Callable[[Recipe], bool],
    *,
    evaluations: int = 500,
    seconds: float = 60.0,
) -> Recipe:
    """The simplest recipe found for which `still_fails` holds.

    space, seed, count: of the corpus that `failing` comes from; a recipe from elsewhere is simplified by `polish` alone. At most
    `evaluations` calls of `still_fails` and about `seconds` of time.
    """
    budget = Budget(still_fails, evaluations, seconds)
    budget.known(failing, fails=True)
    indices = next((indices for recipe, indices in islice(recorded_corpus(space, seed), count) if recipe == failing), None)
    return _smallest(space, failing, indices, budget)


def _smallest(space: Space, failing: Recipe, indices: Sequence[int] | None, budget: Budget) -> Recipe:
    """Polished; where that leaves much, a small case drawn afresh, or else what Hypothesis makes of the choices.

    Both get over what polishing is stuck at: taking away never makes a number larger, and some bugs are seen in a large case or in a small
    one with larger numbers.
    """
    polished = polish(failing, budget.part(0.5))
    if indices is None or prod(polished.shape) <= FEW:
        return polished
    small = _redrawn(space, budget.part(0.4))
    if small is not None:
        return min(polished, polish(small, budget), key=_complexity)
    if prod(polished.shape) <= SMALL_ENOUGH:
        return polished
    shrunk = _shrink_choices(space, failing, indices, budget.part(0.5))
    return min(polished, polish(shrunk, budget), key=_complexity)


def _redrawn(space: Space, budget: Budget) -> Recipe | None:
    """The first failing one of some cases of the space with few logits."""
    small = replace(space, largest=min(space.largest, FEW), long=0)
    with suppress(SpentError):
        return next((recipe for recipe in draw_corpus(small, 0, REDRAWN) if prod(recipe.shape) <= FEW and budget(recipe)), None)
    return None


def _complexity(recipe: Recipe) -> tuple[int, int]:
    return prod(recipe.shape), len(recipe.one_line())


def _shrink_choices(space: Space, failing: Recipe, indices: Sequence[int], budget: Budget) -> Recipe:
    """Shrink by Hypothesis, which is led to the failing recipe by way of its example database."""
    smallest = failing

    def condition(recipe: Recipe) -> bool:
        nonlocal smallest
        fails = budget(recipe)
        smallest = recipe if fails else smallest
        return fails

    database = InMemoryExampleDatabase()
    _remember(indices, database)
    settings = _settings((Phase.reuse, Phase.shrink), database=database)
    with suppress(NoSuchExample, SpentError):
        hypothesis.find(recipes(space), condition, settings=settings, database_key=_KEY)
    return smallest


def _remember(indices: Sequence[int], database: InMemoryExampleDatabase) -> None:
    """Have Hypothesis store these choices: those of the only value of a strategy without alternatives.

    One choice more than the recipe needs: examples that are replayed exactly count as shrunk already.
    """
    only = st.tuples(*(st.integers(ORIGIN + index, ORIGIN + index) for index in (*indices, 0)))
    hypothesis.find(only, lambda _: True, settings=_settings((Phase.generate,), database=database), database_key=_KEY)


def _settings(phases: tuple[Phase, ...], database: InMemoryExampleDatabase | None = None, examples: int = 1) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        database=database,
        derandomize=False,  # the profile that Hypothesis loads under CI would refuse a database
        phases=phases,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )


@dataclass(frozen=True)
class _Found:
    """A failure as it was first seen."""

    recipe: Recipe
    indices: Sequence[int]
    failure: AssertionError


def search(
    space: Space,
    seed: int,
    count: int,
    score: Callable[[Recipe], float],
    *,
    evaluations: int = 500,
    seconds: float = 60.0,
) -> list[AssertionError]:
    """Draw `count` recipes, steered towards large scores, and return the failures that came up, each from the smallest case found.

    score: an error / allowed error; raises an AssertionError for a failure. Failures of different classes are kept apart, and `evaluations`
    and `seconds` limit the shrinking of each. Anything else that `score` raises ends the search.
    """
    found: dict[type[AssertionError], _Found] = {}

    @hypothesis.seed(seed)
    @_settings((Phase.generate, Phase.target), examples=count)
    @hypothesis.given(recorded_recipes(space))
    def drive(drawn: tuple[Recipe, list[int]]) -> None:
        if len(found) >= MOST_KINDS:
            return
        try:
            ratio = score(drawn[0])
        except AssertionError as failure:
            found.setdefault(type(failure), _Found(*drawn, failure))
        else:
            hypothesis.target(min(ratio, LARGEST_SCORE))

    drive()
    return [_smallest_failure(space, first, score, (evaluations, seconds)) for first in found.values()]


def _smallest_failure(space: Space, first: _Found, score: Callable[[Recipe], float], limits: tuple[int, float]) -> AssertionError:
    kind = type(first.failure)
    failures: dict[str, AssertionError] = {}

    def still_fails(recipe: Recipe) -> bool:
        try:
            score(recipe)
        except kind as failure:
            failures[recipe.one_line()] = failure
            return True
        except AssertionError:
            return False
        return False

    budget = Budget(still_fails, *limits)
    if not budget(first.recipe):
        first.failure.add_note(f"seen once and not again, in {first.recipe.one_line()}")
        return first.failure
    return failures[_smallest(space, first.recipe, first.indices, budget).one_line()]
