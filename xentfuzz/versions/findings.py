"""Which findings of one version the other one does not have: told by trying the other one on their cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from xentfuzz.errors import UsageError
from xentfuzz.failures.failure import OF_SEVERAL_CALLS, WRONG_NUMBERS, Failure
from xentfuzz.implementation import Implementation
from xentfuzz.recipes.recipe import recipe_from
from xentfuzz.runner.check import run_recipe
from xentfuzz.subjects.capabilities import Capabilities

# Parts of a card whose entries a caller can lose, with their words.
TAKEN = {"dtypes": "dtype", "targets": "targets:", "ranks": "rank", "options": "option", "functions": "function", "gradients": "gradient:"}


def lacking(findings: Iterable[Failure], other: Implementation, others: Sequence[Failure]) -> list[Failure]:
    """The findings of one version that the other one, with the findings `others`, passes, or whose case it does not take."""
    return [failure for failure in findings if not _has(other, others, failure)]


def _has(other: Implementation, others: Sequence[Failure], failure: Failure) -> bool:
    recipe = recipe_from(failure.recipe)
    if not failure.alone or failure.kind in OF_SEVERAL_CALLS or not recipe.complete:
        # What takes earlier calls, or chance, shows nothing by passing once.
        return any((failure.check, failure.kind) == (one.check, one.kind) for one in others)
    try:
        found = run_recipe(other, failure.check, recipe, isolate=True)
    except UsageError:
        return False
    return found is not None and (found.kind == failure.kind or {found.kind, failure.kind} <= WRONG_NUMBERS)


def not_taken(card: Capabilities, other: Capabilities) -> list[str]:
    """What a version takes, by its card, that the other one does not: "dtype bfloat16", "option label_smoothing"."""
    lost = [f"{word} {value}" for name, word in TAKEN.items() for value in getattr(card, name) if value not in getattr(other, name)]
    return [*lost, "weights of classes"] if card.weight and not other.weight else lost


def in_words(failure: Failure) -> dict[str, Any]:
    """As it stands in a record."""
    return {
        "check": failure.check,
        "kind": failure.kind,
        "dtype": failure.dtype,
        "message": failure.message,
        "recipe": failure.recipe,
    }
