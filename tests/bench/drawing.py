"""What it costs to have Hypothesis draw the corpus, through a provider that answers with the corpus's own choices.

    python tests/bench/drawing.py [COUNT]

Prints the time of each recipe in both ways, and how many recipes come out the same.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import count as counting
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.internal.conjecture import providers

from xentfuzz.recipes.choices import stratified
from xentfuzz.recipes.corpus import recorded_corpus
from xentfuzz.recipes.space import Space
from xentfuzz.recipes.strategies import recorded_recipes

SEED, BACKEND = 0, "xentfuzz-corpus"
SPACE = Space("cross_entropy", "float32")


def columns() -> Iterator[Any]:
    for block in counting():
        yield from stratified(SEED, block)


class CorpusProvider(providers.HypothesisProvider):
    """Integers are the next choices of a case of the corpus; what else Hypothesis draws is its own."""

    cases = columns()

    def __init__(self, conjecturedata: Any, /) -> None:
        super().__init__(conjecturedata)
        self.choices = next(self.cases)

    def draw_integer(self, min_value: int | None = None, max_value: int | None = None, **more: Any) -> int:
        if min_value is None or max_value is None:
            return super().draw_integer(min_value, max_value, **more)
        return min_value + self.choices.index(max_value - min_value + 1)


def by_hypothesis(count: int) -> list[Any]:
    """So many recipes of one test."""
    providers.AVAILABLE_PROVIDERS[BACKEND] = f"{__name__}.{CorpusProvider.__name__}"
    found: list[Any] = []

    @hypothesis.settings(
        backend=BACKEND, max_examples=count, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(recorded_recipes(SPACE))
    def drawn(recorded: Any) -> None:
        found.append(recorded[0])

    drawn()
    return found


def main(count: int) -> None:
    corpus = recorded_corpus(SPACE, SEED)
    begin = time.perf_counter()
    own = [next(corpus)[0] for _ in range(count)]
    middle = time.perf_counter()
    theirs = by_hypothesis(count)
    end = time.perf_counter()
    known = {repr(recipe) for recipe in own}
    print(f"drawn from the seed alone: {(middle - begin) / count * 1e3:.2f} ms a recipe")
    print(f"drawn by Hypothesis: {(end - middle) / max(1, len(theirs)) * 1e3:.2f} ms a recipe, {len(theirs)} of {count} asked for")
    print(f"the same: {sum(repr(recipe) in known for recipe in theirs)} of {len(theirs)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1000)
