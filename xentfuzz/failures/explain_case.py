"""What is special about a minimal case: the features without which it no longer fails, found by turning each off in turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import numpy as np

from xentfuzz.errors import XentfuzzError
from xentfuzz.failures import variants
from xentfuzz.operations import get_operation
from xentfuzz.operations.options import IGNORE_INDEX, LABEL_SMOOTHING, REDUCTION, REDUCTIONS
from xentfuzz.operations.roles import target_name, weight_name
from xentfuzz.recipes.expand import expand, target_kind
from xentfuzz.recipes.recipe import GRAD_OUTPUT, ArrayRecipe, Recipe
from xentfuzz.recipes.shapes import class_rows
from xentfuzz.recipes.written import with_array

# Whether a check still fails on a recipe; None where that can't be told, because the implementation doesn't take the case.
StillFails = Callable[[Recipe], bool | None]
Change = Callable[[Recipe], Recipe]

# Every case has a class or a few; more than that is worth a word.
FEW_CLASSES = 4
OTHER_SMOOTHING = (0.1, 0.3)
LARGE_LOGIT, SMALL_LOGIT = 16.0, 8.0


@dataclass(frozen=True)
class Explanation:
    """needs: features in words ("label_smoothing > 0"); region: the same as conditions on features of a recipe, where there is one."""

    needs: tuple[str, ...] = ()
    region: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trait:
    """A feature of a recipe. without: neighbours that lack it; when: it as a condition.

    exact: the feature in a narrower sense, where neighbours that have the feature pass (having), or others that lack it fail (lacking).
    wider: the feature in a wider sense, where one of some neighbours that have only that fails too (akin).
    """

    words: str
    when: dict[str, Any]
    without: tuple[Change, ...]
    exact: tuple[str, dict[str, Any]] | None = None
    having: tuple[Change, ...] = ()
    lacking: tuple[Change, ...] = ()
    wider: tuple[str, dict[str, Any]] | None = None
    akin: tuple[Change, ...] = ()


def explain(recipe: Recipe, still_fails: StillFails) -> Explanation:
    """The features of `recipe`, which fails, that it needs for that: each of its neighbours without one passes."""
    needs: list[str] = []
    region: dict[str, Any] = {}

    def fails(change: Change) -> bool | None:
        try:
            verdict = still_fails(change(recipe))
        except XentfuzzError:
            # A neighbour that contradicts itself says nothing.
            return None
        return None if verdict is None else bool(verdict)

    for trait in _traits(recipe):
        if all(fails(change) is False for change in trait.without):
            words, when = _as_wide_as_seen(trait, fails)
            needs.append(words)
            region |= when
    return Explanation(tuple(needs), region)


def neighbours_without(recipe: Recipe, needs: Collection[str]) -> Iterator[Recipe]:
    """Neighbours of a recipe that lack one of the features named, where it has them."""
    for trait in _traits(recipe):
        if trait.words in needs or (trait.exact is not None and trait.exact[0] in needs):
            for change in trait.without:
                with suppress(XentfuzzError):
                    yield change(recipe)


def _as_wide_as_seen(trait: Trait, fails: Callable[[Change], bool | None]) -> tuple[str, dict[str, Any]]:
    """The feature in words and as a condition: the exact one where a neighbour contradicts it, a wider one where one speaks for that."""
    if trait.wider is not None and any(fails(change) is True for change in trait.akin):
        return trait.wider
    if trait.exact is None:
        return trait.words, trait.when
    contradicted = any(fails(change) is False for change in trait.having) or any(fails(change) is True for change in trait.lacking)
    return trait.exact if contradicted else (trait.words, trait.when)


def _traits(recipe: Recipe) -> Iterator[Trait]:
    yield from _options(recipe)
    yield from _target(recipe)
    yield from _weight(recipe)
    yield from _shape(recipe)
    yield from _values(recipe)
    yield from _upstream(recipe)
    yield from _layouts(recipe)


def _options(recipe: Recipe) -> Iterator[Trait]:
    for name, value, default in variants.differing_options(recipe):
        if name == LABEL_SMOOTHING.name:
            other = OTHER_SMOOTHING[value == OTHER_SMOOTHING[0]]
            exact = (f"label_smoothing = {value!r}", {name: value})
            yield Trait("label_smoothing > 0", {name: ">0"}, (_option(name, default),), exact, having=(_option(name, other),))
        elif name not in (REDUCTION.name, IGNORE_INDEX.name):
            yield Trait(f"{name} = {value!r}", {name: value}, (_option(name, default),))
    options = {**get_operation(recipe.operation).defaults, **recipe.options}
    if REDUCTION.name in options:
        given = options[REDUCTION.name]
        others = [reduction for reduction in REDUCTIONS if reduction != given]
        yield Trait(f"reduction {given}", {REDUCTION.name: given}, tuple(_option(REDUCTION.name, other) for other in others))


def _option(name: str, value: Any) -> Change:
    return lambda recipe: variants.with_option(recipe, name, value)


def _target(recipe: Recipe) -> Iterator[Trait]:
    kind = target_kind(recipe)
    if kind == "index":
        yield from _index_target(recipe)
    elif kind:
        yield Trait("class probabilities", {"target": kind}, (variants.other_target_kind,))


def _index_target(recipe: Recipe) -> Iterator[Trait]:
    said = []
    if variants.ignores_rows(recipe):
        said.append(Trait("an ignored row", {"ignored": True}, (variants.none_ignored,)))
    ignore_index = recipe.options.get(IGNORE_INDEX.name, IGNORE_INDEX.default)
    if ignore_index != get_operation(recipe.operation).defaults[IGNORE_INDEX.name]:
        said.append(Trait(f"ignore_index = {ignore_index}", {IGNORE_INDEX.name: ignore_index}, (_default_ignore_index,)))
    name = target_name(recipe.operation)
    dtype = recipe.arrays[name].dtype
    if dtype not in (None, "int64"):
        said.append(Trait(f"a target of dtype {dtype}", {"target_dtype": dtype}, (_replaced(name, dtype=None),)))
    # Each of these says by itself that the target holds indices.
    if not said and len(get_operation(recipe.operation).target_kinds) > 1:
        said.append(Trait("class indices", {"target": "index"}, (variants.other_target_kind,)))
    yield from said


def _default_ignore_index(recipe: Recipe) -> Recipe:
    default = get_operation(recipe.operation).defaults[IGNORE_INDEX.name]
    given = recipe.options[IGNORE_INDEX.name]
    changed = recipe
    name = target_name(recipe.operation)
    if recipe.arrays[name].elements is not None:
        changed = variants.edited(recipe, name, lambda labels: np.where(labels == given, default, labels))
    return variants.with_option(changed, IGNORE_INDEX.name, default)


def _weight(recipe: Recipe) -> Iterator[Trait]:
    name = weight_name(recipe.operation)
    if name in recipe.arrays:
        yield Trait("a weight", {"weight": True}, (lambda recipe: with_array(recipe, name, None),))


def _shape(recipe: Recipe) -> Iterator[Trait]:
    rank, rows = len(recipe.shape), class_rows(recipe.shape, recipe.options)
    if rank != 2:
        yield Trait("rank 1" if rank == 1 else "rank > 2", {"rank": 1 if rank == 1 else ">2"}, (variants.flattened,))
    if rows.count > 1:
        yield Trait(
            f"{rows.count} rows" if rows.count < 10 else f"at least {rows.count} rows",
            {"rows": f">={rows.count}"},
            (variants.without_first_row, variants.without_last_row),
            exact=(f"{rows.count} rows", {"rows": rows.count}),
            having=(variants.with_one_row_more, variants.with_twice_the_rows),
            lacking=(variants.with_half_the_rows,),
        )
    if rows.classes > FEW_CLASSES:
        yield Trait(
            f"at least {rows.classes} classes",
            {"classes": f">={rows.classes}"},
            (_classes(rows.classes - 1),),
            exact=(f"{rows.classes} classes", {"classes": rows.classes}),
            having=(_classes(rows.classes + 1), _classes(2 * rows.classes)),
            lacking=(_classes(rows.classes // 2),),
        )
    for axis, length in recipe.sizes.items():
        if length > 1:
            yield Trait(
                f"{axis} of at least {length}",
                {axis: f">={length}"},
                (_size(axis, length - 1),),
                exact=(f"{axis} = {length}", {axis: length}),
                having=(_size(axis, length + 1), _size(axis, 2 * length)),
                lacking=(_size(axis, length // 2),),
            )


def _size(axis: str, count: int) -> Change:
    return partial(variants.with_size, axis=axis, count=count)


def _classes(count: int) -> Change:
    return partial(variants.with_classes, count=count)


def _values(recipe: Recipe) -> Iterator[Trait]:
    first = get_operation(recipe.operation).arguments[0].name
    array = recipe.arrays[first]
    for word in variants.special_values(array):
        shown = {"nan": "a NaN", "inf": "+inf", "-inf": "-inf"}[word]
        yield Trait(f"{shown} in {first}", {"edits": word}, (partial(variants.without_special, name=first, word=word),))
    if array.elements is None and array.regime != "ordinary":
        yield Trait(f"{first} of regime {array.regime}", {"regime": array.regime}, (_replaced(first, regime="ordinary", scale=1.0),))
    largest = _largest(recipe, first)
    if LARGE_LOGIT < largest < np.inf:
        yield Trait(f"{first} as large as {largest:.4g}", {}, (lambda recipe: variants.edited(recipe, first, _clamped),))


def _largest(recipe: Recipe, name: str) -> float:
    if not np.prod(recipe.shape) or np.prod(recipe.shape) > variants.LARGEST_WRITTEN:
        return 0.0
    values = expand(recipe).values[name].astype(np.float64)
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max()) if finite.size else 0.0


def _clamped(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    wide = values.astype(np.float64)
    clamped: np.ndarray[Any, Any] = np.where(np.isfinite(wide), np.clip(wide, -SMALL_LOGIT, SMALL_LOGIT), wide)
    return clamped


def _upstream(recipe: Recipe) -> Iterator[Trait]:
    upstream = recipe.arrays.get(GRAD_OUTPUT)
    if upstream is not None and not variants.all_ones(upstream):
        yield Trait(
            "an upstream gradient other than 1",
            {"upstream_regime": "!=ones"},
            (_upstream_of("ones", upstream.layout),),
            exact=("an upstream gradient of 0", {"upstream_regime": "!=ones"}) if variants.all_zeros(upstream) else None,
            having=(_upstream_of("constant", upstream.layout, scale=2.0),),
        )


def _upstream_of(regime: str, layout: str, scale: float = 1.0) -> Change:
    return lambda recipe: with_array(recipe, GRAD_OUTPUT, ArrayRecipe(regime, scale=scale, layout=layout))


# One for each way in which memory can lie otherwise: other strides, gaps, and backwards.
OTHER_LAYOUTS = ("fortran", "first_columns", "negative_stride")


def _layouts(recipe: Recipe) -> Iterator[Trait]:
    for name, array in recipe.arrays.items():
        if array.layout != "contiguous":
            yield Trait(
                f"{name} laid out as {array.layout}",
                {"layout": array.layout},
                (_replaced(name, layout="contiguous"),),
                wider=(f"{name} not contiguous", {"layout": "!=contiguous"}),
                akin=tuple(_replaced(name, layout=other) for other in OTHER_LAYOUTS if other != array.layout),
            )


def _replaced(name: str, **changes: Any) -> Change:
    return lambda recipe: with_array(recipe, name, msgspec.structs.replace(recipe.arrays[name], **changes))
