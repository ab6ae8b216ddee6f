"""Corpora, directed search and shrinking: what the runner asks of recipes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from math import prod

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.errors import NoSuchExample

from xentfuzz.recipes.budget import Budget
from xentfuzz.recipes.corpus import draw_corpus, recorded_corpus
from xentfuzz.recipes.polish import polish
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.space import Space
from xentfuzz.recipes.strategies import ORIGIN, recipes, recorded_recipes

__all__ = ["draw_corpus", "recipes", "search", "shrink"]

# Cases of a check that fail in so many different ways are enough of a start for whoever mends it.
MOST_KINDS = 4
SMALL_ENOUGH = 8  # logits of a case that is easily read
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
    """Polished; where that leaves much, Hypothesis has a go at the choices too, which gets over what polishing is stuck at."""
    polished = polish(failing, budget.part(0.6))
    if indices is None or prod(polished.shape) <= SMALL_ENOUGH:
        return polished
    shrunk = _shrink_choices(space, failing, indices, budget.part(0.7))
    return min(polished, polish(shrunk, budget), key=_complexity)


def _complexity(recipe: Recipe) -> tuple[int, int]:
    return prod(recipe.shape), len(recipe.one_line())


def _shrink_choices(space: Space, failing: Recipe, indices: Sequence[int], still_fails: Callable[[Recipe], bool]) -> Recipe:
    """Shrink by Hypothesis, which is led to the failing recipe by way of its example database."""
    database = InMemoryExampleDatabase()
    _remember(indices, database)
    settings = _settings((Phase.reuse, Phase.shrink), database=database)
    try:
        return hypothesis.find(recipes(space), still_fails, settings=settings, database_key=_KEY)
    except NoSuchExample:
        return failing


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
    found: dict[type[AssertionError], tuple[Recipe, list[int]]] = {}

    @hypothesis.seed(seed)
    @_settings((Phase.generate, Phase.target), examples=count)
    @hypothesis.given(recorded_recipes(space))
    def drive(drawn: tuple[Recipe, list[int]]) -> None:
        if len(found) >= MOST_KINDS:
            return
        try:
            ratio = score(drawn[0])
        except AssertionError as failure:
            found.setdefault(type(failure), drawn)
        else:
            hypothesis.target(min(ratio, LARGEST_SCORE))

    drive()
    return [_smallest_failure(space, kind, drawn, score, (evaluations, seconds)) for kind, drawn in found.items()]


def _smallest_failure(
    space: Space,
    kind: type[AssertionError],
    drawn: tuple[Recipe, list[int]],
    score: Callable[[Recipe], float],
    limits: tuple[int, float],
) -> AssertionError:
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
    recipe, indices = drawn
    if not budget(recipe):
        return kind(f"seen once and not again, in {recipe.one_line()}")
    return failures[_smallest(space, recipe, indices, budget).one_line()]
