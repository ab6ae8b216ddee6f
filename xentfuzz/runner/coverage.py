"""Which kinds of cases were compared, and which declared ones never were: green must not stand for what was not looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.operations.roles import weight_name
from xentfuzz.recipes.cells import Cell, cell_count, cell_of
from xentfuzz.recipes.expand import target_kind
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.shapes import class_rows
from xentfuzz.subjects.capabilities import Capabilities


def kinds_of(recipe: Recipe) -> Iterator[str]:
    """What a case has, as reports call it."""
    yield f"rank {len(recipe.shape)}"
    if target_kind(recipe):
        yield f"{target_kind(recipe)} targets"
    if weight_name(recipe.operation) in recipe.arrays:
        yield "weight"
    yield from recipe.options


def size_of(recipe: Recipe) -> Cell | None:
    """The cell of class counts and rows that a case lies in, None beyond all of them."""
    # Options that are left out of a recipe are at their default, and so may the axis be.
    rows = class_rows(recipe.shape, {**get_operation(recipe.operation).defaults, **recipe.options})
    return cell_of(rows.count, rows.classes)


def sizes_met(capabilities: Capabilities, met: Collection[Cell]) -> dict[str, int]:
    """How many cells of class counts and rows were compared, of how many that the implementation takes."""

    def takes(classes: int) -> bool:
        listed = capabilities.class_counts is None or classes in capabilities.class_counts
        return listed and not classes % capabilities.class_count_divisor and classes <= (capabilities.most_classes or classes)

    return {"met": len(met), "cells": cell_count(takes, single_rows=capabilities.ranks == (1,))}


def never_compared(implementation: Implementation, capabilities: Capabilities, compared: Collection[str]) -> list[str]:
    """The kinds of cases that an implementation declares (by `supports`) and none of which was compared."""
    if implementation.supports is None or implementation.probed:
        return []
    return [kind for kind in _declared(capabilities) if kind not in compared]


def _declared(capabilities: Capabilities) -> Iterator[str]:
    yield from (f"rank {rank}" for rank in capabilities.ranks)
    yield from (f"{target} targets" for target in capabilities.targets)
    if capabilities.weight:
        yield "weight"
    # An option with some values only may be left at its default by all cases.
    yield from (name for name, values in capabilities.options.items() if values is None)
