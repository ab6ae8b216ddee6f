"""Which kinds of cases were compared, and which declared ones never were: green must not stand for what was not looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from xentfuzz.implementation import Implementation
from xentfuzz.recipes.expand import target_kind
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.subjects.capabilities import Capabilities


def kinds_of(recipe: Recipe) -> Iterator[str]:
    """What a case has, as reports call it."""
    yield f"rank {len(recipe.shape)}"
    if target_kind(recipe):
        yield f"{target_kind(recipe)} targets"
    if "weight" in recipe.arrays:
        yield "weight"
    yield from recipe.options


def never_compared(implementation: Implementation, capabilities: Capabilities, compared: Collection[str]) -> list[str]:
    """The kinds of cases that an implementation declares (by `supports`) and none of which was compared."""
    if implementation.supports is None:
        return []
    return [kind for kind in _declared(capabilities) if kind not in compared]


def _declared(capabilities: Capabilities) -> Iterator[str]:
    yield from (f"rank {rank}" for rank in capabilities.ranks)
    yield from (f"{target} targets" for target in capabilities.targets)
    if capabilities.weight:
        yield "weight"
    # An option with some values only may be left at its default by all cases.
    yield from (name for name, values in capabilities.options.items() if values is None)
