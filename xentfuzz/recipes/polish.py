"""Simplifying a failing recipe by itself: fewer arrays, default options, a smaller shape, then the numbers written out and rounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from math import prod

import msgspec

from xentfuzz.errors import RecordError
from xentfuzz.operations import get_operation
from xentfuzz.operations.options import AXIS
from xentfuzz.recipes.budget import Budget, SpentError
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.limits import family_of
from xentfuzz.recipes.recipe import GRAD_OUTPUT, UNIT_SCALE, ArrayRecipe, Recipe
from xentfuzz.recipes.written import READABLE, Accepts, fewer_positions, plainest, simpler_numbers, with_array, written_out

WRITABLE = 8192  # elements of a first argument that are written out for positions to be taken out

Pass = Callable[[Recipe, Accepts], Recipe]


def polish(recipe: Recipe, budget: Budget) -> Recipe:
    """A simpler recipe of the same family that fails too; the recipe itself where there is none, or none within the budget."""
    family = family_of(expand(recipe))
    simplest = recipe

    def accepts(candidate: Recipe) -> bool:
        nonlocal simplest
        if not _belongs(candidate, family) or not budget(candidate):
            return False
        if _is_readable(candidate):
            simplest = candidate
        return True

    with suppress(SpentError):
        _simplify(recipe, accepts)
    return simplest


def _simplify(recipe: Recipe, accepts: Accepts) -> None:
    """Accept ever simpler recipes, in between perhaps one that is written out but for reading too long."""
    recipe = _descend(recipe, (_first_accepted(_fewer), _first_accepted(_smaller)), accepts)
    if prod(recipe.shape) > WRITABLE:
        return
    written = written_out(recipe)
    if not accepts(written):
        return
    written = _descend(written, (_first_accepted(fewer_positions),), accepts)
    if _is_readable(written):
        _descend(written, (_first_accepted(fewer_positions), _first_accepted(_fewer), simpler_numbers), accepts)


def _is_readable(recipe: Recipe) -> bool:
    return all(array.elements is None or len(array.elements) <= READABLE for array in recipe.arrays.values())


def _belongs(recipe: Recipe, family: str) -> bool:
    try:
        return family_of(expand(recipe)) == family
    except RecordError:
        return False


def _descend(recipe: Recipe, passes: Sequence[Pass], accepts: Accepts) -> Recipe:
    """One pass after the other, until none changes anything."""
    while True:
        before = recipe
        for one in passes:
            recipe = one(recipe, accepts)
        if recipe == before:
            return recipe


def _first_accepted(candidates: Callable[[Recipe], Iterator[Recipe]]) -> Pass:
    """The pass that takes the first candidate that is accepted, and then looks at that one's candidates."""

    def take(recipe: Recipe, accepts: Accepts) -> Recipe:
        while True:
            found = next((candidate for candidate in candidates(recipe) if candidate != recipe and accepts(candidate)), None)
            if found is None:
                return recipe
            recipe = found

    return take


# ---- fewer features


def _fewer(recipe: Recipe) -> Iterator[Recipe]:
    operation = get_operation(recipe.operation)
    for name in recipe.options:
        if name in operation.defaults and not next(option for option in operation.options if option.name == name).always:
            options = {key: value for key, value in recipe.options.items() if key != name}
            yield msgspec.structs.replace(recipe, options=options)
    for argument in operation.arguments:
        if argument.optional and argument.name in recipe.arrays:
            yield msgspec.structs.replace(recipe, arrays={name: array for name, array in recipe.arrays.items() if name != argument.name})
    for name, array in recipe.arrays.items():
        for plainer in _plainer(array, plainest(recipe, name)):
            yield with_array(recipe, name, plainer)


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
    fixed_rank = AXIS.name in recipe.options or len(get_operation(recipe.operation).ranks) == 1
    for shape in _smaller_shapes(recipe.shape, fixed_rank):
        yield msgspec.structs.replace(recipe, shape=shape)
    for axis, length in recipe.sizes.items():
        for shorter in _shorter(length):
            yield msgspec.structs.replace(recipe, sizes={**recipe.sizes, axis: shorter})


def _smaller_shapes(shape: tuple[int, ...], fixed_rank: bool) -> Iterator[tuple[int, ...]]:
    if len(shape) > 2 and not fixed_rank:
        yield (shape[0] * prod(shape[2:]), shape[1])  # the same rows
        yield shape[:-1]
    if len(shape) == 2 and not fixed_rank:
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
