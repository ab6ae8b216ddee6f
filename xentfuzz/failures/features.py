"""What can be said about a case from its recipe alone, by name: the vocabulary of expected failures and of what a failure needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.failures.variants import SPECIAL_WORDS, all_ones, ignores_rows, special_values
from xentfuzz.operations import get_operation, usable_operations
from xentfuzz.operations.case import Case
from xentfuzz.operations.options import IGNORE_INDEX
from xentfuzz.operations.roles import has_target, target_name, target_of, weight_name, weight_of
from xentfuzz.recipes.expand import target_kind
from xentfuzz.recipes.recipe import GRAD_OUTPUT, ArrayRecipe, Recipe
from xentfuzz.recipes.shapes import class_rows

# Feature -> what it says. Options, by their own names, come on top.
FEATURES = {
    "dtype": "the floating-point format of the first argument",
    "rank": "its number of dimensions",
    "classes": "the length of its class axis",
    "rows": "the number of its rows: positions that have a loss of their own",
    "target": '"index" or "probabilities"',
    "target_dtype": "the dtype of the target",
    "ignored": "whether rows of an index target are ignored",
    "weight": "whether a weight is given",
    "regime": "how the values of the first argument are made",
    "target_regime": "the same of the target",
    "weight_regime": "the same of the weight",
    "upstream_regime": "the same of the upstream gradient",
    "layout": 'the layouts of the arrays that are not contiguous; "contiguous" where all are',
    "edits": "the values that are put into the first argument at chosen places; of one that is written out, its NaNs and infinities",
}


def feature_names(operation: str | None = None) -> list[str]:
    """The names that a condition may use; None for those of every operation."""
    operations = [get_operation(operation)] if operation else usable_operations()
    further = (axis for one in operations for axis in one.further_axes)
    return [*FEATURES, *further, *(option.name for one in operations for option in one.options)]


def features(recipe: Recipe) -> dict[str, Any]:
    """Feature -> value, a tuple where there may be several. Features of arguments that a case doesn't have are absent."""
    operation = get_operation(recipe.operation)
    options = {**operation.defaults, **recipe.options}
    first = recipe.arrays[operation.arguments[0].name]
    rows = class_rows(recipe.shape, options)
    found = {
        "dtype": recipe.dtype,
        "rank": len(recipe.shape),
        "classes": rows.classes,
        "rows": rows.count,
        "weight": weight_name(recipe.operation) in recipe.arrays,
        "regime": _regime(first),
        "layout": _layouts(recipe),
        "edits": tuple(edit.value for edit in first.edits) or special_values(first),
    }
    for name, argument in (("target", target_name(recipe.operation)), ("weight", weight_name(recipe.operation)), ("upstream", GRAD_OUTPUT)):
        if argument in recipe.arrays:
            found[f"{name}_regime"] = _regime(recipe.arrays[argument])
    return found | recipe.sizes | _target(recipe) | options


def features_of_case(case: Case) -> dict[str, Any]:
    """The same of a case that has no recipe, as far as its arrays tell: nothing of layouts, nor of how values were made."""
    operation = get_operation(case.operation)
    options = {**operation.defaults, **case.options}
    first = case.values[operation.arguments[0].name]
    rows = class_rows(first.shape, options)
    found = {
        "dtype": case.dtype,
        "rank": first.ndim,
        "classes": rows.classes,
        "rows": rows.count,
        "weight": weight_of(case) is not None,
        "edits": tuple(word for word in SPECIAL_WORDS if _holds(first, word)),
    }
    if "grad_output" in case.arrays:
        found["upstream_regime"] = "ones" if bool((case.values["grad_output"] == 1).all()) else "elements"
    if has_target(case):
        target = target_of(case)
        found |= {"target": "index" if target.dtype.kind in "iub" else "probabilities", "target_dtype": target.dtype.name}
        if found["target"] == "index":
            found["ignored"] = bool((target == options[IGNORE_INDEX.name]).any())
    return found | options


def _holds(values: np.ndarray[Any, Any], word: str) -> bool:
    number = float(word)
    return bool((values != values).any() if word == "nan" else (values == number).any())  # noqa: PLR0124 - a NaN of any format


def _regime(array: ArrayRecipe) -> str:
    if array.elements is None:
        return array.regime
    return "ones" if all_ones(array) else "elements"


def _layouts(recipe: Recipe) -> tuple[str, ...]:
    found = {array.layout for array in recipe.arrays.values()} - {"contiguous"}
    return tuple(sorted(found)) or ("contiguous",)


def _target(recipe: Recipe) -> dict[str, Any]:
    kind = target_kind(recipe)
    if not kind:
        return {}
    target = recipe.arrays[target_name(recipe.operation)]
    if kind == "index":
        return {"target": kind, "target_dtype": target.dtype or "int64", "ignored": ignores_rows(recipe)}
    return {"target": kind, "target_dtype": target.dtype or recipe.dtype}
