"""The inputs that are timed, and whether an implementation takes them."""

from __future__ import annotations

from xentfuzz.benchmark.records import Point
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


def refusal(point: Point, capabilities: Capabilities) -> str | None:
    """Why an implementation doesn't take the input of a point, or None."""
    if point.dtype not in capabilities.dtypes:
        return f"{point.dtype} logits"
    if "index" not in capabilities.targets:
        return "class-index targets"
    if 2 not in capabilities.ranks:
        return "2-d logits"
    if capabilities.largest_class_count is not None and point.classes > capabilities.largest_class_count:
        return f"more than {capabilities.largest_class_count} classes"
    if point.classes % capabilities.class_count_divisor:
        return f"class counts that {capabilities.class_count_divisor} doesn't divide"
    return None
