"""A small recipe with its numbers written out: positions taken out, numbers made shorter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec
import numpy as np

from xentfuzz.operations import get_operation
from xentfuzz.operations.options import AXIS
from xentfuzz.operations.roles import ignored_label, target_name, weight_name
from xentfuzz.recipes.expand import expand, target_kind
from xentfuzz.recipes.recipe import GRAD_OUTPUT, ArrayRecipe, Recipe
from xentfuzz.recipes.shapes import class_rows, named_axes
from xentfuzz.recipes.words import Array

Accepts = Callable[[Recipe], bool]


def plainest(recipe: Recipe, name: str) -> str:
    """The regime that an array is simplest in."""
    if name == GRAD_OUTPUT:
        return "ones"
    if name == target_name(recipe.operation):
        return "first_class" if target_kind(recipe) == "index" else "one_hot"
    return "ones" if name == weight_name(recipe.operation) else "ordinary"


def with_array(recipe: Recipe, name: str, array: ArrayRecipe | None) -> Recipe:
    """With one array made in another way; without it for None."""
    arrays = {**recipe.arrays, name: array}
    return msgspec.structs.replace(recipe, arrays={key: value for key, value in arrays.items() if value is not None})


def written_out(recipe: Recipe) -> Recipe:
    """The recipe with every array as elements."""
    case = expand(recipe)
    arrays = {}
    for name, array in recipe.arrays.items():
        arrays[name] = ArrayRecipe(plainest(recipe, name), dtype=array.dtype, layout=array.layout, elements=_texts(case.values[name]))
    return msgspec.structs.replace(recipe, arrays=arrays)


def _texts(values: Array) -> tuple[str, ...]:
    if values.dtype.kind in "iub":
        return tuple(str(int(number)) for number in values.reshape(-1).tolist())
    return tuple(repr(number) for number in values.astype(np.float64).reshape(-1).tolist())


READABLE = 64  # numbers that may stay written out


def _chunks(count: int) -> Iterator[tuple[int, int]]:
    """All places, both halves, four quarters, ...; down to single places where there are few of them."""
    smallest = 1 if count <= READABLE else count // 16
    size = count
    while size >= smallest:
        yield from ((start, min(start + size, count)) for start in range(0, count, size))
        size //= 2


# ---- fewer positions


def fewer_positions(recipe: Recipe) -> Iterator[Recipe]:
    """Runs of positions of every axis taken out, long ones first; then dimensions of one position. All arrays must be written out."""
    case = expand(recipe)
    named = named_axes(get_operation(recipe.operation))
    if named:
        yield from _fewer_along(recipe, named, case.values)
        return
    rows = class_rows(recipe.shape, case.options)
    for axis, length in enumerate(recipe.shape):
        for start, stop in _chunks(length):
            if stop - start < length:
                yield _without(recipe, axis, slice(start, stop), rows.axis)
    if len(recipe.shape) > 1 and AXIS.name not in recipe.options:
        for axis, length in enumerate(recipe.shape):
            if length == 1 and axis != rows.axis and (len(recipe.shape) == 2 or axis > 1):
                yield msgspec.structs.replace(recipe, shape=recipe.shape[:axis] + recipe.shape[axis + 1 :])


def _fewer_along(recipe: Recipe, named: dict[str, tuple[str, ...]], values: Mapping[str, Array]) -> Iterator[Recipe]:
    """The same where axes have names: the positions of an axis go from all arrays that have it."""
    lengths = {axis: length for name, array in values.items() for axis, length in zip(named[name], array.shape, strict=True)}
    for axis, length in lengths.items():
        for start, stop in _chunks(length):
            if stop - start < length:
                yield _shortened(recipe, named, axis, slice(start, stop))


def _shortened(recipe: Recipe, named: dict[str, tuple[str, ...]], axis: str, places: slice) -> Recipe:
    values = expand(recipe).values
    arrays: dict[str, ArrayRecipe] = {}
    lengths: dict[str, int] = {}
    for name, array in recipe.arrays.items():
        elements = np.array(array.elements, dtype=object).reshape(values[name].shape)
        left = np.delete(elements, places, named[name].index(axis)) if axis in named[name] else elements
        lengths |= dict(zip(named[name], left.shape, strict=True))
        arrays[name] = msgspec.structs.replace(array, elements=tuple(left.reshape(-1).tolist()))
    first = get_operation(recipe.operation).arguments[0]
    sizes = {name: lengths[name] for name in recipe.sizes}
    return msgspec.structs.replace(recipe, shape=tuple(lengths[name] for name in first.axes), sizes=sizes, arrays=arrays)


def _without(recipe: Recipe, axis: int, places: slice, class_axis: int) -> Recipe:
    """The recipe without these positions of an axis; labels follow their classes."""
    case = expand(recipe)
    arrays = {}
    for name, array in recipe.arrays.items():
        values = np.array(array.elements, dtype=object).reshape(case.values[name].shape)
        if values.shape == recipe.shape:
            values = np.delete(values, places, axis)
        elif name == weight_name(recipe.operation):
            values = np.delete(values, places) if axis == class_axis else values
        elif values.ndim and axis != class_axis:
            values = np.delete(values, places, axis - (axis > class_axis))
        elements = tuple(values.reshape(-1).tolist())
        if name == target_name(recipe.operation) and target_kind(recipe) == "index" and axis == class_axis:
            elements = _moved(elements, places, recipe.shape[axis], ignored_label(case))
        arrays[name] = msgspec.structs.replace(array, elements=elements)
    length = recipe.shape[axis] - (places.stop - places.start)
    return msgspec.structs.replace(recipe, shape=(*recipe.shape[:axis], length, *recipe.shape[axis + 1 :]), arrays=arrays)


def _moved(labels: tuple[str, ...], gone: slice, classes: int, ignore_index: int | None) -> tuple[str, ...]:
    """Labels after some classes have gone; one that has gone itself becomes a neighbour. Ignored rows stay ignored."""
    kept = np.delete(np.arange(classes), gone)
    places = {label: str(int(np.searchsorted(kept[:-1], label))) for label in range(classes)}
    return tuple(text if int(text) == ignore_index else places.get(int(text), text) for text in labels)


# ---- shorter numbers


def simpler_numbers(recipe: Recipe, accepts: Accepts) -> Recipe:
    """Every number in turn, but many at once first: half of the array, a quarter, ..."""
    for name, array in recipe.arrays.items():
        for start, stop in _chunks(len(array.elements or ())):
            recipe = _simpler_chunk(recipe, name, range(start, stop), accepts)
    return recipe


def _simpler_chunk(recipe: Recipe, name: str, places: range, accepts: Accepts) -> Recipe:
    """The numbers at these places as simple as they may be."""
    array = recipe.arrays[name]
    texts = array.elements or ()
    options = {place: _simpler_options(recipe, name, texts[place]) for place in places}
    for level in range(max(map(len, options.values()))):
        chosen = {place: some[min(level, len(some) - 1)] for place, some in options.items() if some}
        elements = tuple(chosen.get(place, text) for place, text in enumerate(texts))
        candidate = with_array(recipe, name, msgspec.structs.replace(array, elements=elements))
        if accepts(candidate):
            return candidate
    return recipe


def _simpler_options(recipe: Recipe, name: str, text: str) -> tuple[str, ...]:
    if name == target_name(recipe.operation) and target_kind(recipe) == "index":
        return _simpler_label(text)
    # A gradient upstream of 0 hides everything; 1 is what a plain call has.
    return _simpler_texts(text, ("1.0", "0.0") if name == GRAD_OUTPUT else ("0.0", "1.0"))


def _simpler_label(text: str) -> tuple[str, ...]:
    """The first class; an ignored row stays one."""
    return ("0",) if int(text) > 0 else ()


def _simpler_texts(text: str, simplest: tuple[str, ...]) -> tuple[str, ...]:
    """Numbers that are shorter to read, the shortest first: the simplest, the nearest integer, ever more significant digits."""
    number = float(text)
    candidates = list(simplest)
    if np.isfinite(number):
        candidates += [repr(float(round(number)))] + [repr(float(f"{number:.{digits}g}")) for digits in (1, 2, 3, 4)]
    return tuple(option for option in dict.fromkeys(candidates) if _length(option, simplest) < _length(text, simplest))


def _length(text: str, simplest: tuple[str, ...]) -> tuple[int, int]:
    """How long a number is to read: its significant digits, then its characters."""
    if text in simplest:
        return (0, simplest.index(text))
    return (len(text.lstrip("-").partition("e")[0].replace(".", "").strip("0")), len(text))
