"""Simplifying a failing recipe by itself: fewer arrays, default options, a smaller shape, then the numbers written out and rounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import msgspec
import numpy as np

from xentfuzz.errors import RecordError
from xentfuzz.operations import get_operation
from xentfuzz.recipes.expand import expand, target_kind
from xentfuzz.recipes.limits import family_of
from xentfuzz.recipes.recipe import GRAD_OUTPUT, UNIT_SCALE, ArrayRecipe, Recipe
from xentfuzz.recipes.shapes import class_rows
from xentfuzz.recipes.words import Array

# The largest first argument whose numbers are written out.
WRITTEN = 64

Candidates = Callable[[Recipe], Iterator[Recipe]]


def polish(recipe: Recipe, still_fails: Callable[[Recipe], bool]) -> Recipe:
    """A simpler recipe of the same family for which `still_fails` holds too; the recipe itself where there is none."""
    family = family_of(expand(recipe))

    def accepts(candidate: Recipe) -> bool:
        return _belongs(candidate, family) and still_fails(candidate)

    recipe = _descend(recipe, (_fewer, _smaller), accepts)
    if prod(recipe.shape) > WRITTEN:
        return recipe
    written = _written(recipe)
    if written != recipe and accepts(written):
        recipe = written
    return _descend(recipe, (_fewer, _deletions, _simpler_numbers), accepts)


def _belongs(recipe: Recipe, family: str) -> bool:
    try:
        return family_of(expand(recipe)) == family
    except RecordError:
        return False


def _descend(recipe: Recipe, passes: Sequence[Candidates], accepts: Callable[[Recipe], bool]) -> Recipe:
    """Take the first candidate that is accepted, until none is. No recipe is gone back to."""
    seen = {recipe.one_line()}
    while True:
        candidates = (candidate for one in passes for candidate in one(recipe) if candidate.one_line() not in seen)
        found = next((candidate for candidate in candidates if accepts(candidate)), None)
        if found is None:
            return recipe
        seen.add(found.one_line())
        recipe = found


def _with_array(recipe: Recipe, name: str, array: ArrayRecipe | None) -> Recipe:
    arrays = {key: value for key, value in recipe.arrays.items() if key != name}
    if array is not None:
        arrays = {key: array if key == name else value for key, value in recipe.arrays.items()}
    return msgspec.structs.replace(recipe, arrays=arrays)


# ---- fewer features


def _fewer(recipe: Recipe) -> Iterator[Recipe]:
    operation = get_operation(recipe.operation)
    for name in recipe.options:
        if name in operation.defaults and not next(option for option in operation.options if option.name == name).always:
            options = {key: value for key, value in recipe.options.items() if key != name}
            yield msgspec.structs.replace(recipe, options=options)
    for argument in operation.arguments:
        if argument.optional and argument.name in recipe.arrays:
            yield _with_array(recipe, argument.name, None)
    for name, array in recipe.arrays.items():
        for plainer in _plainer(array, _plainest(recipe, name)):
            yield _with_array(recipe, name, plainer)


def _plainest(recipe: Recipe, name: str) -> str:
    """The regime that an array is simplest in."""
    if name == GRAD_OUTPUT:
        return "ones"
    if name == "target":
        return "first_class" if target_kind(recipe) == "index" else "one_hot"
    return "ones" if name == "weight" else "ordinary"


def _plainer(array: ArrayRecipe, plainest: str) -> Iterator[ArrayRecipe]:
    default = ArrayRecipe()
    if array.elements is None:
        yield ArrayRecipe(plainest, dtype=array.dtype)
        yield msgspec.structs.replace(array, regime=plainest, scale=UNIT_SCALE)
    for field in ("layout", "edits", "ignored", "scale", "seed"):
        yield msgspec.structs.replace(array, **{field: getattr(default, field)})
    for index in range(len(array.edits)):
        yield msgspec.structs.replace(array, edits=array.edits[:index] + array.edits[index + 1 :])


# ---- smaller shapes


def _smaller(recipe: Recipe) -> Iterator[Recipe]:
    """Only where no array is written out: its numbers then follow the shape."""
    if any(array.elements is not None for name, array in recipe.arrays.items() if name != GRAD_OUTPUT):
        return
    for shape in _smaller_shapes(recipe.shape, "axis" in recipe.options):
        yield msgspec.structs.replace(recipe, shape=shape)


def _smaller_shapes(shape: tuple[int, ...], any_axis: bool) -> Iterator[tuple[int, ...]]:
    if len(shape) > 2 and not any_axis:
        yield shape[:-1]
    if len(shape) == 2 and not any_axis:
        yield shape[1:]
    for axis, length in enumerate(shape):
        for shorter in _shorter(length):
            yield (*shape[:axis], shorter, *shape[axis + 1 :])


def _shorter(length: int) -> Iterator[int]:
    """Small lengths first, then ever closer to the length itself: a threshold is found in as many steps as it has bits."""
    yield from (short for short in (1, 2, 3) if short < length)
    step = length // 2
    while step:
        if length - step > 3:
            yield length - step
        step //= 2


# ---- numbers written out


def _written(recipe: Recipe) -> Recipe:
    """The recipe with every array as elements."""
    case = expand(recipe)
    arrays = {}
    for name, array in recipe.arrays.items():
        arrays[name] = ArrayRecipe(_plainest(recipe, name), dtype=array.dtype, layout=array.layout, elements=_texts(case.values[name]))
    return msgspec.structs.replace(recipe, arrays=arrays)


def _texts(values: Array) -> tuple[str, ...]:
    if values.dtype.kind in "iub":
        return tuple(str(int(number)) for number in values.reshape(-1).tolist())
    return tuple(repr(number) for number in values.astype(np.float64).reshape(-1).tolist())


def _numbers(recipe: Recipe, name: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.array(recipe.arrays[name].elements, dtype=object).reshape(shape)


def _deletions(recipe: Recipe) -> Iterator[Recipe]:
    """Every position of every axis taken out, where all arrays are written out."""
    if any(array.elements is None for array in recipe.arrays.values()):
        return
    case = expand(recipe)
    rows = class_rows(recipe.shape, case.options)
    for axis, length in enumerate(recipe.shape):
        for place in reversed(range(length)) if length > 1 else ():
            yield _without(recipe, axis, place, rows.axis)
    if len(recipe.shape) > 1 and "axis" not in recipe.options:
        for axis, length in enumerate(recipe.shape):
            if length == 1 and axis != rows.axis and (len(recipe.shape) == 2 or axis > 1):
                yield msgspec.structs.replace(recipe, shape=recipe.shape[:axis] + recipe.shape[axis + 1 :])


def _without(recipe: Recipe, axis: int, place: int, class_axis: int) -> Recipe:
    """The recipe without one position; labels beyond a class that is taken out move down."""
    case = expand(recipe)
    shape = (*recipe.shape[:axis], recipe.shape[axis] - 1, *recipe.shape[axis + 1 :])
    arrays = {}
    for name, array in recipe.arrays.items():
        values = _numbers(recipe, name, case.values[name].shape)
        if values.shape == recipe.shape:
            values = np.delete(values, place, axis)
        elif name == "weight":
            values = np.delete(values, place) if axis == class_axis else values
        elif values.ndim and axis != class_axis:
            values = np.delete(values, place, axis - (axis > class_axis))
        if name == "target" and target_kind(recipe) == "index" and axis == class_axis:
            values = _moved_down(values, place, case.options.get("ignore_index"))
        arrays[name] = msgspec.structs.replace(array, elements=tuple(values.reshape(-1).tolist()))
    return msgspec.structs.replace(recipe, shape=shape, arrays=arrays)


def _moved_down(labels: np.ndarray[Any, Any], place: int, ignore_index: int | None) -> np.ndarray[Any, Any]:
    moved = [text if int(text) == ignore_index or int(text) <= place else str(int(text) - 1) for text in labels.reshape(-1).tolist()]
    return np.array([text if int(text) != place or not place else str(place - 1) for text in moved], dtype=object).reshape(labels.shape)


# ---- simpler numbers


def _simpler_numbers(recipe: Recipe) -> Iterator[Recipe]:
    for name, array in recipe.arrays.items():
        if array.elements is None:
            continue
        if name == "target" and target_kind(recipe) == "index":
            simpler = [_simpler_label(text) for text in array.elements]
        else:
            # A gradient upstream of 0 hides everything; 1 is what a plain call has.
            simplest = ("1.0", "0.0") if name == GRAD_OUTPUT else ("0.0", "1.0")
            simpler = [_simpler_texts(text, simplest) for text in array.elements]
        for texts in _simpler_elements(array.elements, simpler):
            yield _with_array(recipe, name, msgspec.structs.replace(array, elements=texts))


def _simpler_elements(texts: tuple[str, ...], simpler: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """All numbers at once, then one after the other."""
    for level in range(max(map(len, simpler), default=0)):
        yield tuple(options[min(level, len(options) - 1)] if options else text for text, options in zip(texts, simpler, strict=True))
    for index, options in enumerate(simpler):
        for option in options:
            yield (*texts[:index], option, *texts[index + 1 :])


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
