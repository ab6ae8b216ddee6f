"""Cases of a handful of specialisations, for implementations that compile anew for every shape.

What such a compiler specialises on is kept: shape, dtype, the kind of target, whether there are weights, the values of options. All that is
no part of it varies: the numbers, their regimes and edits, labels, layouts. New specialisations come in as long as compiling them takes no
more than its share of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from xentfuzz.operations.operation import Operation
from xentfuzz.operations.roles import target_name, weight_name
from xentfuzz.operations.rows import class_axis
from xentfuzz.recipes.expand import target_kind
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.recipes.space import Space

# Where new ones may come in: small, of every rank, around the width of a vector, one with many classes, one with many rows.
SHAPES = (((3,), 5), ((2,), 33), ((4,), 8), ((), 7), ((2, 3), 4), ((2, 2, 3), 3), ((1,), 1000), ((65,), 3), ((2,), 1), ((3,), 256))


class Specialised(NamedTuple):
    """What the cases of one specialisation share. positions: the shape without the class axis; target: its kind, "" for none."""

    positions: tuple[int, ...]
    classes: int
    target: str
    target_dtype: str
    weight: bool
    options: tuple[tuple[str, Any], ...]

    def fits(self, space: Space) -> bool:
        """Whether the space has cases of it."""
        given = dict(self.options)
        return (
            len(self.positions) + 1 in space.ranks
            and is_allowed(self.classes, space)
            and (not self.target or self.target in space.targets)
            and (self.target != "index" or self.target_dtype in space.target_dtypes or space.family == "robust")
            and (space.weight or not self.weight)
            and all(values is None or given[name] in values or not values for name, values in space.options.items() if name in given)
        )

    def within(self, space: Space) -> Space:
        """The part of the space that has cases of it; with weights where it has some and they are drawn."""
        given = dict(self.options)
        return replace(
            space,
            shapes=((self.positions, self.classes),),
            ranks=(len(self.positions) + 1,),
            targets=(self.target,) if self.target else space.targets,
            weight=space.weight and self.weight,
            options={
                name: values if values == () else (given[name],) if name in given else values for name, values in space.options.items()
            },
        )


def is_allowed(classes: int, space: Space) -> bool:
    """Whether a space has cases with so many classes."""
    fits_count = space.class_counts is None or classes in space.class_counts
    return fits_count and classes % space.class_count_divisor == 0 and classes <= (space.largest_class_count or classes)


def specialised(recipe: Recipe, operation: Operation) -> Specialised:
    """What a case was specialised on."""
    options = {**operation.defaults, **recipe.options}
    axis = class_axis(recipe.shape, options)
    kind = target_kind(recipe) or ""
    dtype = (recipe.arrays[target_name(recipe.operation)].dtype or "int64") if kind == "index" else ""
    positions = recipe.shape[:axis] + recipe.shape[axis + 1 :]
    return Specialised(
        positions, recipe.shape[axis], kind, dtype, weight_name(recipe.operation) in recipe.arrays, tuple(sorted(options.items()))
    )


@dataclass
class FewShapes:
    """known: dtype -> the specialisations that cases had so far, and how many cases each."""

    operation: Operation
    known: dict[str, dict[Specialised, int]] = field(default_factory=dict)

    def narrow(self, space: Space, *, new: bool) -> Space:
        """The part of a space that the next case is drawn from: of the specialisation that was used least, or, if `new`, of all SHAPES."""
        fitting = {one: times for one, times in self._known(space).items() if one.fits(space)}
        if fitting and not new:
            return min(fitting, key=lambda one: fitting[one]).within(space)
        shapes = tuple(shape for shape in SHAPES if len(shape[0]) + 1 in space.ranks and is_allowed(shape[1], space))
        return replace(space, shapes=shapes or None)

    def note(self, recipe: Recipe) -> None:
        """Count a case, of its own specialisation or of a new one; an empty one is like no other case."""
        if 0 in recipe.shape:
            return
        known = self.known.setdefault(recipe.dtype, {})
        one = specialised(recipe, self.operation)
        known[one] = known.get(one, 0) + 1

    def _known(self, space: Space) -> Mapping[Specialised, int]:
        """Where a dtype has none yet, those of the others: their shapes are as good as any."""
        if self.known.get(space.dtype):
            return self.known[space.dtype]
        return {one: 0 for others in self.known.values() for one in others}
