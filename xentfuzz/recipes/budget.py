"""A predicate on recipes that is asked once for each and only so often."""

from __future__ import annotations

import time
from collections.abc import Callable

from xentfuzz.recipes.recipe import Recipe


class SpentError(BaseException):
    """A budget is spent. No Exception, for Hypothesis takes those for failures of the test that it runs."""


class Budget:
    """`still_fails` with a memory and a limit. Calling it raises SpentError for a recipe that would exceed the limit."""

    def __init__(self, still_fails: Callable[[Recipe], bool], evaluations: int, seconds: float) -> None:
        self._still_fails = still_fails
        self._left = evaluations
        self._deadline = time.monotonic() + seconds
        self._verdicts: dict[str, bool] = {}

    def known(self, recipe: Recipe, *, fails: bool) -> None:
        """Take note of a verdict from elsewhere."""
        self._verdicts[recipe.one_line()] = fails

    def __call__(self, recipe: Recipe) -> bool:
        key = recipe.one_line()
        if key not in self._verdicts:
            if self._left <= 0 or time.monotonic() >= self._deadline:
                raise SpentError
            self._left -= 1
            self._verdicts[key] = self._still_fails(recipe)
        return self._verdicts[key]

    def part(self, share: float) -> Budget:
        """A budget of its own for a step, of a share of what is left; what it spends is spent here too."""
        return Budget(self, int(self._left * share), (self._deadline - time.monotonic()) * share)
