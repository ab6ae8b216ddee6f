"""The inputs that are timed, and whether an implementation takes them."""

from __future__ import annotations

from xentfuzz.benchmark.records import Point
from xentfuzz.checks.refusal import refusal
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.subjects.capabilities import Capabilities

OPERATION = "cross_entropy"


def benchmark_recipe(point: Point, seed: int) -> Recipe:
    """Ordinary logits, class-index targets, the mean over all rows and an upstream gradient of one."""
    arrays = {
        "logits": ArrayRecipe(seed=seed),
        "target": ArrayRecipe("uniform", seed=seed + 1),
        "grad_output": ArrayRecipe(elements=("1",)),
    }
    return Recipe(OPERATION, point.dtype, (point.rows, point.classes), arrays)


def why_not_timed(case: Case, capabilities: Capabilities) -> str | None:
    """Why an implementation doesn't take the input of a point, or None."""
    if case.dtype not in capabilities.dtypes:
        return f"{case.dtype} logits"
    return refusal(case, get_operation(OPERATION), capabilities)
