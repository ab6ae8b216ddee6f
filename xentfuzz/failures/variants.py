"""Neighbours of a recipe that lack one of its features and keep all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import msgspec
import numpy as np

from xentfuzz.operations import get_operation
from xentfuzz.operations.options import IGNORE_INDEX
from xentfuzz.operations.roles import target_name, weight_name
from xentfuzz.recipes.expand import expand, output_shape, target_kind
from xentfuzz.recipes.recipe import GRAD_OUTPUT, ArrayRecipe, Recipe
from xentfuzz.recipes.shapes import class_rows, named_axes
from xentfuzz.recipes.written import with_array

Array = np.ndarray[Any, Any]

# Up to this size of the first argument a neighbour keeps the numbers, written out; beyond it, regimes make new ones for its shape.
LARGEST_WRITTEN = 4096
SPECIAL_WORDS = ("nan", "inf", "-inf")


def with_option(recipe: Recipe, name: str, value: Any) -> Recipe:
    """With another value of an option; the upstream gradient, written for another shape of the loss, becomes one of ones."""
    operation = get_operation(recipe.operation)
    changed = msgspec.structs.replace(recipe, options={**recipe.options, name: value})
    before, after = (output_shape(one, {**operation.defaults, **one.options}) for one in (recipe, changed))
    upstream = recipe.arrays.get(GRAD_OUTPUT)
    if upstream is not None and upstream.elements is not None and before != after:
        changed = with_array(changed, GRAD_OUTPUT, ArrayRecipe("ones"))
    return changed


def edited(recipe: Recipe, name: str, change: Callable[[Array], Array]) -> Recipe:
    """With the values of one array changed, of the same shape."""
    values = np.array(expand(recipe).values[name])
    return with_array(recipe, name, written(recipe.arrays[name], change(values)))


def written(array: ArrayRecipe, values: Array) -> ArrayRecipe:
    """The recipe of an array with these values written out; dtype and layout stay."""
    plain = values.astype(np.uint8) if values.dtype.kind == "b" else values
    texts = [str(number) for number in (plain if plain.dtype.kind in "iu" else plain.astype(np.float64)).reshape(-1).tolist()]
    return msgspec.structs.replace(array, elements=tuple(texts), edits=(), seed=0, scale=1.0, ignored="none")


def of_shape(recipe: Recipe, shape: tuple[int, ...], change: Callable[[str, Array], Array]) -> Recipe:
    """With a first argument of another shape; change takes (argument name, values) and gives the values of that argument there."""
    if prod(recipe.shape) > LARGEST_WRITTEN:
        return msgspec.structs.replace(recipe, shape=shape)
    values = expand(recipe).values
    arrays = {name: written(array, change(name, np.array(values[name]))) for name, array in recipe.arrays.items()}
    return msgspec.structs.replace(recipe, shape=shape, arrays=arrays)


def flattened(recipe: Recipe) -> Recipe:
    """(N, C, d1, ...) as (N d1 ..., C), and (C,) as (1, C): the same rows."""
    rows = class_rows(recipe.shape, recipe.options)

    def change(_: str, values: Array) -> Array:
        if values.shape == rows.shape:
            return np.moveaxis(values, rows.axis, -1).reshape(rows.count, rows.classes)
        return values.reshape(rows.count) if values.shape == rows.positions else values

    return of_shape(recipe, (rows.count, rows.classes), change)


def without_first_row(recipe: Recipe) -> Recipe:
    """Shorter by one, at its beginning, along the longest axis that is none of classes."""
    return _with_rows(recipe, lambda length: range(1, length))


def without_last_row(recipe: Recipe) -> Recipe:
    """Shorter by one, at its end, along the longest axis that is none of classes."""
    return _with_rows(recipe, lambda length: range(length - 1))


def with_one_row_more(recipe: Recipe) -> Recipe:
    """Longer by one along that axis: the first rows once more."""
    return _with_rows(recipe, lambda length: range(length + 1))


def with_twice_the_rows(recipe: Recipe) -> Recipe:
    """All rows twice along that axis."""
    return _with_rows(recipe, lambda length: range(2 * length))


def with_half_the_rows(recipe: Recipe) -> Recipe:
    """The first half of the rows along that axis."""
    return _with_rows(recipe, lambda length: range(length // 2))


def _with_rows(recipe: Recipe, chosen: Callable[[int], range]) -> Recipe:
    """With the rows at the places that `chosen` gives for the axis's length; beyond its end they begin anew."""
    rows = class_rows(recipe.shape, recipe.options)
    axis = max((axis for axis in range(len(recipe.shape)) if axis != rows.axis), key=lambda axis: recipe.shape[axis])
    length = recipe.shape[axis]
    places = np.asarray(chosen(length), np.int64) % length

    named = named_axes(get_operation(recipe.operation))

    def change(name: str, values: Array) -> Array:
        if named:
            wanted = get_operation(recipe.operation).arguments[0].axes[axis]
            return np.take(values, places, named[name].index(wanted)) if wanted in named[name] else values
        if values.shape == rows.shape:
            return np.take(values, places, axis)
        return np.take(values, places, axis - (axis > rows.axis)) if values.shape == rows.positions else values

    return of_shape(recipe, _of_length(recipe.shape, axis, places.size), change)


def with_classes(recipe: Recipe, count: int) -> Recipe:
    """With another number of classes; beyond the last one they begin anew, of no probability. Labels beyond become the last class."""
    rows = class_rows(recipe.shape, recipe.options)
    places = np.arange(count) % rows.classes
    ignore_index = {**get_operation(recipe.operation).defaults, **recipe.options}.get(IGNORE_INDEX.name)

    named = named_axes(get_operation(recipe.operation))

    def change(name: str, values: Array) -> Array:
        if named:
            wanted = get_operation(recipe.operation).arguments[0].axes[rows.axis]
            return np.take(values, places, named[name].index(wanted)) if wanted in named[name] else values
        if name == target_name(recipe.operation) and target_kind(recipe) == "index":
            # A narrow dtype may not hold the number of classes.
            labels = values.astype(np.int64)
            return np.where(labels == ignore_index, labels, np.minimum(labels, count - 1))
        if values.shape != rows.shape:
            return values[places] if name == weight_name(recipe.operation) else values
        taken = np.take(values, places, rows.axis)
        if name == target_name(recipe.operation):
            np.moveaxis(taken, rows.axis, -1)[..., rows.classes :] = 0
        return taken

    return of_shape(recipe, _of_length(recipe.shape, rows.axis, count), change)


def with_size(recipe: Recipe, axis: str, count: int) -> Recipe:
    """With another length of an axis that the first argument does not have; beyond its end it begins anew."""
    places = np.arange(count) % recipe.sizes[axis]
    named = named_axes(get_operation(recipe.operation))

    def change(name: str, values: Array) -> Array:
        return np.take(values, places, named[name].index(axis)) if axis in named[name] else values

    changed = of_shape(recipe, recipe.shape, change)
    return msgspec.structs.replace(changed, sizes={**recipe.sizes, axis: count})


def _of_length(shape: tuple[int, ...], axis: int, length: int) -> tuple[int, ...]:
    return (*shape[:axis], length, *shape[axis + 1 :])


def ignores_rows(recipe: Recipe) -> bool:
    """Whether rows of an index target are ignored."""
    if target_kind(recipe) != "index":
        return False
    target = recipe.arrays[target_name(recipe.operation)]
    if target.elements is None:
        return target.ignored != "none"
    ignore_index = {**get_operation(recipe.operation).defaults, **recipe.options}[IGNORE_INDEX.name]
    return any(int(float(text)) == ignore_index for text in target.elements)


def none_ignored(recipe: Recipe) -> Recipe:
    """Ignored rows get a class that is not ignored."""
    options = {**get_operation(recipe.operation).defaults, **recipe.options}
    ignore_index, classes = options[IGNORE_INDEX.name], class_rows(recipe.shape, options).classes
    kept = next((label for label in range(classes) if label != ignore_index), 0)
    if recipe.arrays[target_name(recipe.operation)].elements is None:
        return with_array(
            recipe, target_name(recipe.operation), msgspec.structs.replace(recipe.arrays[target_name(recipe.operation)], ignored="none")
        )
    return edited(recipe, target_name(recipe.operation), lambda labels: np.where(labels == ignore_index, kept, labels))


def other_target_kind(recipe: Recipe) -> Recipe:
    """Class indices as one-hot probabilities (zero for ignored rows), probabilities as the index of the largest."""
    options = {**get_operation(recipe.operation).defaults, **recipe.options}
    rows, target = class_rows(recipe.shape, options), recipe.arrays[target_name(recipe.operation)]
    plain = msgspec.structs.replace(
        target, dtype=None, layout="contiguous", regime="one_hot" if target_kind(recipe) == "index" else "cycle"
    )
    if prod(recipe.shape) > LARGEST_WRITTEN:
        return with_array(recipe, target_name(recipe.operation), msgspec.structs.replace(plain, ignored="none"))
    values = np.array(expand(recipe).values[target_name(recipe.operation)])
    if not rows.classes:
        return recipe  # there is no largest
    if target_kind(recipe) == "index":
        hot = np.moveaxis(values[..., np.newaxis] == np.arange(rows.classes), -1, rows.axis)
        return with_array(recipe, target_name(recipe.operation), written(plain, hot.astype(np.float64)))
    return with_array(recipe, target_name(recipe.operation), written(plain, np.argmax(values.astype(np.float64), axis=rows.axis)))


def special_values(array: ArrayRecipe) -> tuple[str, ...]:
    """Of NaN and the infinities, those that a recipe puts into an array."""
    written = {edit.value for edit in array.edits} if array.elements is None else set(array.elements)
    return tuple(word for word in SPECIAL_WORDS if word in written)


def without_special(recipe: Recipe, name: str, word: str) -> Recipe:
    """One special value replaced by 0."""
    array = recipe.arrays[name]
    if array.elements is None:
        return with_array(recipe, name, msgspec.structs.replace(array, edits=tuple(edit for edit in array.edits if edit.value != word)))
    return with_array(
        recipe, name, msgspec.structs.replace(array, elements=tuple("0.0" if text == word else text for text in array.elements))
    )


def with_broken_rows(recipe: Recipe, name: str, word: str) -> Recipe:
    """Of each row that holds nothing but one special value, the first element replaced by 0; the same recipe where there is no such row."""

    def change(rows: Array, special: Array) -> Array:
        whole = special.all(axis=-1)
        rows[whole, 0] = 0
        return rows

    return _with_special_rows(recipe, name, word, change)


def without_special_at_target(recipe: Recipe, name: str, word: str) -> Recipe:
    """One special value moved to the next class where it is at the target's, else the same recipe. A row of nothing else keeps it."""
    if target_kind(recipe) != "index":
        return recipe
    classes = class_rows(recipe.shape, recipe.options).classes
    labels = np.array(expand(recipe).values[target_name(recipe.operation)]).astype(np.int64).reshape(-1, 1)

    def change(rows: Array, special: Array) -> Array:
        at_target = special & (labels == np.arange(classes)) & ~special.all(axis=1, keepdims=True)
        return np.where(at_target, 0, np.where(np.roll(at_target, 1, axis=1), float(word), rows))

    return _with_special_rows(recipe, name, word, change)


def _with_special_rows(recipe: Recipe, name: str, word: str, change: Callable[[Array, Array], Array]) -> Recipe:
    """With another value in some places of an array: change takes its rows, of shape (rows, classes), and where they have the value."""
    rows = class_rows(recipe.shape, recipe.options)
    values = np.array(expand(recipe).values[name])
    if values.shape != rows.shape:
        return recipe
    by_row = np.moveaxis(values, rows.axis, -1)
    wide = by_row.astype(np.float64).reshape(rows.count, rows.classes)
    special = np.isnan(wide) if word == "nan" else wide == float(word)
    changed = change(wide.copy(), special)
    if np.array_equal(changed, wide, equal_nan=True):
        return recipe
    back = np.moveaxis(changed.reshape(by_row.shape), -1, rows.axis).astype(values.dtype)
    return with_array(recipe, name, written(recipe.arrays[name], back))


def differing_options(recipe: Recipe) -> Iterator[tuple[str, Any, Any]]:
    """(name, value, default) of options that a call could leave out and doesn't."""
    for option in get_operation(recipe.operation).options:
        value = recipe.options.get(option.name, option.default)
        if not option.always and (value != option.default or type(value) is not type(option.default)):
            yield option.name, value, option.default


def all_zeros(array: ArrayRecipe) -> bool:
    """Whether an array is made of zeros only, as far as its recipe tells."""
    return array.regime == "zero" and not array.edits if array.elements is None else {float(text) for text in array.elements} <= {0.0}


def all_ones(array: ArrayRecipe) -> bool:
    """Whether an array is made of ones only, as far as its recipe tells."""
    return array.regime == "ones" and not array.edits if array.elements is None else {float(text) for text in array.elements} <= {1.0}
