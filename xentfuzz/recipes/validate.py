"""What a recipe must satisfy to be expanded: checked first, because people edit recipes and pass them on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

import numpy as np

from xentfuzz.dtypes import FORMATS, TARGET_NAMES
from xentfuzz.errors import RecordError, UnknownName
from xentfuzz.operations.operation import Operation
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.recipes.recipe import GRAD_OUTPUT, ArrayRecipe, Recipe
from xentfuzz.recipes.target import IGNORED
from xentfuzz.recipes.words import Array

PATTERNS = ("none", "all", *IGNORED)


def validate(recipe: Recipe, operation: Operation) -> None:
    """Raises UnknownName for a name that does not exist, RecordError for arrays or options that do not fit together."""
    _known(f"argument of {operation.name}", recipe.arrays, [argument.name for argument in operation.arguments] + [GRAD_OUTPUT])
    _known(f"option of {operation.name}", recipe.options, operation.defaults)
    _known("dtype", [recipe.dtype], FORMATS)
    for array in recipe.arrays.values():
        _validate_array(array)
    for argument in operation.arguments:
        if not argument.optional and argument.name not in recipe.arrays:
            raise RecordError(f"a recipe of {operation.name} needs an array {argument.name!r}; it has {', '.join(recipe.arrays) or 'none'}")
    if not recipe.shape or min(recipe.shape) < 0:
        raise RecordError(f"a shape has at least one dimension and no negative length, unlike {recipe.shape}")
    axis, rank = recipe.options.get("axis", 0), len(recipe.shape)
    if not -rank <= axis < rank:
        raise RecordError(f"axis={axis} is no axis of the shape {recipe.shape}")


def _validate_array(array: ArrayRecipe) -> None:
    _known("layout", [array.layout], LAYOUTS)
    _known("pattern of ignored rows", [array.ignored], PATTERNS)
    if array.dtype is not None:
        _known("dtype", [array.dtype], [*FORMATS, *TARGET_NAMES])


def _known(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in given:
        if name not in known:
            raise UnknownName(what, name, known)


def parsed(texts: tuple[str, ...], shape: tuple[int, ...]) -> Array:
    """The elements of an array, float64. Raises RecordError where they are too many, too few or no numbers."""
    if len(texts) != prod(shape):
        raise RecordError(f"an array of shape {shape} needs {prod(shape)} elements, not {len(texts)}")
    try:
        return np.array([float(text) for text in texts], np.float64).reshape(shape)
    except ValueError as error:
        raise RecordError(f"not a number among the elements of an array: {error}") from None
