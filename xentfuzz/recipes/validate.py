"""What a recipe must satisfy to be expanded: checked first, because people edit recipes and pass them on the command line."""

from __future__ import annotations

from math import prod

import numpy as np

from xentfuzz.dtypes import FORMATS, TARGET_NAMES
from xentfuzz.errors import RecordError, require_known
from xentfuzz.operations.operation import Operation
from xentfuzz.operations.options import AXIS
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.recipes.recipe import GRAD_OUTPUT, ArrayRecipe, Recipe
from xentfuzz.recipes.target import IGNORED
from xentfuzz.recipes.words import Array

PATTERNS = ("none", "all", *IGNORED)


def validate(recipe: Recipe, operation: Operation) -> None:
    """Raises UnknownName for a name that does not exist, RecordError for arrays or options that do not fit together."""
    require_known(f"argument of {operation.name}", recipe.arrays, [argument.name for argument in operation.arguments] + [GRAD_OUTPUT])
    require_known(f"option of {operation.name}", recipe.options, operation.defaults)
    require_known("dtype", [recipe.dtype], FORMATS)
    for array in recipe.arrays.values():
        _validate_array(array)
    for argument in operation.arguments:
        if not argument.optional and argument.name not in recipe.arrays:
            raise RecordError(f"a recipe of {operation.name} needs an array {argument.name!r}; it has {', '.join(recipe.arrays) or 'none'}")
    if not recipe.shape or min(recipe.shape) < 0:
        raise RecordError(f"a shape has at least one dimension and no negative length, unlike {recipe.shape}")
    if operation.arguments[0].axes and len(recipe.shape) not in operation.ranks:
        raise RecordError(f"{operation.arguments[0].name} has the axes {', '.join(operation.arguments[0].axes)}, unlike {recipe.shape}")
    if set(recipe.sizes) != set(operation.further_axes) or min(recipe.sizes.values(), default=0) < 0:
        raise RecordError(f"sizes of {operation.name} are those of its axes {list(operation.further_axes)}, unlike {recipe.sizes}")
    axis, rank = recipe.options.get(AXIS.name, 0), len(recipe.shape)
    if not -rank <= axis < rank:
        raise RecordError(f"axis={axis} is no axis of the shape {recipe.shape}")


def _validate_array(array: ArrayRecipe) -> None:
    require_known("layout", [array.layout], LAYOUTS)
    require_known("pattern of ignored rows", [array.ignored], PATTERNS)
    if array.dtype is not None:
        require_known("dtype", [array.dtype], [*FORMATS, *TARGET_NAMES])


def parsed(texts: tuple[str, ...], shape: tuple[int, ...]) -> Array:
    """The elements of an array, float64. Raises RecordError where they are too many, too few or no numbers."""
    if len(texts) != prod(shape):
        raise RecordError(f"an array of shape {shape} needs {prod(shape)} elements, not {len(texts)}")
    try:
        return np.array([float(text) for text in texts], np.float64).reshape(shape)
    except ValueError as error:
        raise RecordError(f"not a number among the elements of an array: {error}") from None
