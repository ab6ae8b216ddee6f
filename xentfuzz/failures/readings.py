"""In what sense a case needs a feature: the widest that no neighbour contradicts, tried by changing the case and looking again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from xentfuzz.errors import XentfuzzError
from xentfuzz.recipes.recipe import Recipe

# Whether a check still fails on a recipe; None where that can't be told, because the implementation doesn't take the case.
StillFails = Callable[[Recipe], bool | None]
Change = Callable[[Recipe], Recipe]

# Vectors, unrolled loops and blocks: what a count of elements is divided by in kernels. 1 is every count.
STEPS = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Reading:
    """A feature in one sense, in words and as a condition.

    having: neighbours that have it in this sense, which must not pass; lacking: others that lack it, which must not fail; one_of:
    neighbours that have only this, of which one must fail.
    """

    words: str
    when: dict[str, Any]
    having: tuple[Change, ...] = ()
    lacking: tuple[Change, ...] = ()
    one_of: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Verdicts:
    """What a check says of the neighbours of one recipe."""

    recipe: Recipe
    still_fails: StillFails

    def fails(self, change: Change) -> bool | None:
        """None where the neighbour contradicts itself, or the implementation does not take it: it says nothing then."""
        try:
            verdict = self.still_fails(change(self.recipe))
        except XentfuzzError:
            return None
        return None if verdict is None else bool(verdict)

    def passes(self, without: Collection[Change]) -> bool:
        """Whether the neighbours pass: at least one, and none fails."""
        told = False
        for change in without:
            verdict = self.fails(change)
            if verdict:
                return False
            told = told or verdict is False
        return told

    def bear_out(self, reading: Reading) -> bool:
        """Whether no neighbour contradicts the reading."""
        if any(self.fails(change) is False for change in reading.having):
            return False
        if any(self.fails(change) is True for change in reading.lacking):
            return False
        return not reading.one_of or any(self.fails(change) is True for change in reading.one_of)


def count_as_seen(name: str, count: int, with_count: Callable[[int], Change], verdicts: Verdicts) -> tuple[str, dict[str, Any]] | None:
    """A count that is needed in steps, or up to a limit, in words and as a condition; None where it is neither.

    Of each step from the smallest on, the next three counts must fail, and then it is asked for the first ones below and far above.
    """
    for step in STEPS:
        if all(verdicts.fails(with_count(count + times * step)) is True for times in (1, 2, 3)):
            break
    else:
        return None
    if step == 1 and verdicts.fails(with_count(count // 2)) is True:
        return None
    remainder, limits = count % step, []
    far = count + step * -(-count // step)
    if count > step and verdicts.fails(with_count(count - step)) is False:
        limits.append(f">= {count}")
    if verdicts.fails(with_count(far)) is False:
        limits.append(f"< {far}")
    words = ([] if step == 1 else [f"% {step} = {remainder}"]) + limits
    return (f"{name} {', '.join(words)}", {name: ", ".join(words)}) if words else None
