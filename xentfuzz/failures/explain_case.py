"""What is special about a minimal case: the features without which it no longer fails, found by turning each off in turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import numpy as np

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.errors import XentfuzzError
from xentfuzz.failures import variants
from xentfuzz.failures.readings import Change, Reading, StillFails, Verdicts, count_as_seen
from xentfuzz.operations import get_operation
from xentfuzz.operations.options import IGNORE_INDEX, LABEL_SMOOTHING, REDUCTION, REDUCTIONS
from xentfuzz.operations.roles import target_name, weight_name
from xentfuzz.recipes.expand import expand, target_kind
from xentfuzz.recipes.recipe import GRAD_OUTPUT, ArrayRecipe, Recipe
from xentfuzz.recipes.shapes import class_rows
from xentfuzz.recipes.written import with_array

# Every case has a class or a few; more than that is worth a word.
FEW_CLASSES = 4
OTHER_SMOOTHING = (0.1, 0.3)
SPECIAL_VALUES = {"nan": "a NaN", "inf": "+inf", "-inf": "-inf"}
LARGE_LOGIT, SMALL_LOGIT = 16.0, 8.0


@dataclass(frozen=True)
class Explanation:
    """needs: features in words ("label_smoothing > 0"); region: the same as conditions on features of a recipe, where there is one."""

    needs: tuple[str, ...] = ()
    region: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trait:
    """A feature of a recipe in words and as a condition. without: neighbours that lack it.

    readings: the same in other senses, the widest first; the first one that no neighbour contradicts is what is said. count: how to change
    a count, which may be needed in steps or up to a limit. implied_by: features of which each says as much, where one is needed.
    """

    words: str
    when: dict[str, Any]
    without: tuple[Change, ...]
    readings: tuple[Reading, ...] = ()
    count: tuple[str, int, Callable[[int], Change]] | None = None
    implied_by: frozenset[str] = frozenset()


def explain(recipe: Recipe, still_fails: StillFails, dtypes: Collection[str] = ()) -> Explanation:
    """The features of `recipe`, which fails, that it needs for that: neighbours without one pass, as far as the implementation takes them.

    dtypes: those in which the same was found already.
    """
    verdicts = Verdicts(recipe, still_fails)
    needs: list[str] = []
    region: dict[str, Any] = {}
    for trait in _traits(recipe):
        if not trait.implied_by & region.keys() and verdicts.passes(trait.without):
            words, when = _as_seen(trait, verdicts)
            needs.append(words)
            region |= when
    if len(dtypes) <= 1 and verdicts.passes(_other_dtypes(recipe)):
        # What one case needs of its dtype, rounding alone may decide: said, but no condition on cases of the same cause.
        needs.append(f"dtype {recipe.dtype}")
    return Explanation(tuple(needs), region)


def neighbours_without(recipe: Recipe, needs: Collection[str]) -> Iterator[Recipe]:
    """Neighbours of a recipe that lack one of the features named, where it has them."""
    for trait in _traits(recipe):
        if trait.words in needs or any(reading.words in needs for reading in trait.readings):
            for change in trait.without:
                with suppress(XentfuzzError):
                    yield change(recipe)


def _as_seen(trait: Trait, verdicts: Verdicts) -> tuple[str, dict[str, Any]]:
    """The feature in words and as a condition, in the widest sense that no neighbour contradicts; else as narrow as this case."""
    for reading in trait.readings:
        if verdicts.bear_out(reading):
            return reading.words, reading.when
    in_steps = count_as_seen(*trait.count, verdicts) if trait.count is not None else None
    return in_steps or (trait.words, trait.when)


def _other_dtypes(recipe: Recipe) -> tuple[Change, ...]:
    return tuple(partial(msgspec.structs.replace, dtype=name) for name in FLOAT_NAMES if name != recipe.dtype)


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
            wide = Reading("label_smoothing > 0", {name: ">0"}, having=(_option(name, other),))
            yield Trait(f"label_smoothing = {value!r}", {name: value}, (_option(name, default),), (wide,))
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
        said.append(_ignore_index(recipe, ignore_index))
    name = target_name(recipe.operation)
    dtype = recipe.arrays[name].dtype
    if dtype not in (None, "int64"):
        said.append(Trait(f"a target of dtype {dtype}", {"target_dtype": dtype}, (_replaced(name, dtype=None),)))
    yield from said
    if len(get_operation(recipe.operation).target_kinds) > 1:
        implied_by = frozenset({"ignored", IGNORE_INDEX.name, "target_dtype"})
        yield Trait("class indices", {"target": "index"}, (variants.other_target_kind,), implied_by=implied_by)


def _ignore_index(recipe: Recipe, given: int) -> Trait:
    """A particular one, one of its sign, or any but the default: as others of these do."""
    name, default = IGNORE_INDEX.name, get_operation(recipe.operation).defaults[IGNORE_INDEX.name]
    classes = class_rows(recipe.shape, recipe.options).classes
    inside = tuple(_with_ignore_index(other) for other in dict.fromkeys((0, 1, classes - 1)) if other != given and 0 <= other < classes)
    beyond = tuple(_with_ignore_index(other) for other in (classes, classes + 1) if other != given)
    negative = tuple(_with_ignore_index(other) for other in (-1, -2, default - 1) if other not in (given, default))
    readings = [Reading(f"{name} other than {default}", {name: f"!={default}"}, having=(*inside, *beyond, *negative))]
    if given < 0:
        readings.append(Reading(f"{name} < 0 other than {default}", {name: f"<0, !={default}"}, having=negative))
    else:
        readings.append(Reading(f"{name} >= 0", {name: ">=0"}, having=(*inside, *beyond)))
        alike, which = (inside, "that is a class") if given < classes else (beyond, "beyond the classes")
        readings += [Reading(f"an {name} {which}", {name: ">=0"}, having=alike)] if alike else []
    return Trait(f"{name} = {given}", {name: given}, (_with_ignore_index(default),), tuple(readings))


def _with_ignore_index(value: int) -> Change:
    """The same rows ignored, by another value; kept ones that have that value as their class get another one."""

    def change(recipe: Recipe) -> Recipe:
        options = {**get_operation(recipe.operation).defaults, **recipe.options}
        given, classes = options[IGNORE_INDEX.name], class_rows(recipe.shape, options).classes
        kept = next((label for label in range(classes) if label != value), 0)
        changed, name = recipe, target_name(recipe.operation)
        if recipe.arrays[name].elements is not None:

            def renamed(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
                # A narrow dtype may not hold the value.
                wide = labels.astype(np.int64)
                return np.where(wide == given, value, np.where(wide == value, kept, wide))

            changed = variants.edited(recipe, name, renamed)
        return variants.with_option(changed, IGNORE_INDEX.name, value)

    return change


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
            f"{rows.count} rows",
            {"rows": rows.count},
            (variants.without_first_row, variants.without_last_row),
            (
                Reading(
                    f"{rows.count} rows" if rows.count < 10 else f"at least {rows.count} rows",
                    {"rows": f">={rows.count}"},
                    having=(variants.with_one_row_more, variants.with_twice_the_rows),
                    lacking=(variants.with_half_the_rows,),
                ),
            ),
        )
    if rows.classes > FEW_CLASSES:
        yield _count("classes", rows.classes, _classes, f"at least {rows.classes} classes", f"{rows.classes} classes")
    elif rows.classes:
        yield _few_classes(rows.classes)
    for axis, length in recipe.sizes.items():
        if length > 1:
            yield _count(axis, length, partial(_size, axis), f"{axis} of at least {length}", f"{axis} = {length}")


def _few_classes(count: int) -> Trait:
    """Every case has a few classes, so only that neither one more nor one less will do is worth a word, and a condition only in steps."""
    without = (_classes(count + 1), *((_classes(count - 1),) if count > 1 else ()))
    return Trait("1 class" if count == 1 else f"{count} classes", {}, without, count=("classes", count, _classes))


def _count(name: str, count: int, with_count: Callable[[int], Change], at_least: str, exactly: str) -> Trait:
    wide = Reading(
        at_least,
        {name: f">={count}"},
        having=(with_count(count + 1), with_count(2 * count)),
        lacking=(with_count(count // 2),),
    )
    return Trait(exactly, {name: count}, (with_count(count - 1),), (wide,), (name, count, with_count))


def _size(axis: str, count: int) -> Change:
    return partial(variants.with_size, axis=axis, count=count)


def _classes(count: int) -> Change:
    return partial(variants.with_classes, count=count)


def _values(recipe: Recipe) -> Iterator[Trait]:
    first = get_operation(recipe.operation).arguments[0].name
    array = recipe.arrays[first]
    for word in variants.special_values(array):
        without = (partial(variants.without_special, name=first, word=word),)
        yield Trait(f"{SPECIAL_VALUES[word]} in {first}", {"edits": word}, without, tuple(_places(recipe, first, word)))
    if array.elements is None and array.regime != "ordinary":
        yield Trait(f"{first} of regime {array.regime}", {"regime": array.regime}, (_replaced(first, regime="ordinary", scale=1.0),))
    largest = _largest(recipe, first)
    if LARGE_LOGIT < largest < np.inf:
        yield Trait(f"{first} as large as {largest:.4g}", {}, (lambda recipe: variants.edited(recipe, first, _clamped),))


def _places(recipe: Recipe, first: str, word: str) -> Iterator[Reading]:
    """Where the special value has to be: anywhere, in the whole of a row, or at the target; nothing where the recipe doesn't tell."""
    if recipe.arrays[first].elements is None or class_rows(recipe.shape, recipe.options).classes < 2:
        return
    when = {"edits": word}
    broken = partial(variants.with_broken_rows, name=first, word=word)
    elsewhere = partial(variants.without_special_at_target, name=first, word=word)
    whole, at_target = broken(recipe) != recipe, elsewhere(recipe) != recipe
    others = ((broken,) if whole else ()) + ((elsewhere,) if at_target else ())
    yield Reading(f"{SPECIAL_VALUES[word]} in {first}", when, having=others)
    if whole:
        yield Reading(f"a row of nothing but {SPECIAL_VALUES[word].removeprefix('a ')} in {first}", when, lacking=(broken,))
    if at_target:
        yield Reading(f"{SPECIAL_VALUES[word]} at the target in {first}", when, lacking=(elsewhere,))


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
        when = {"upstream_regime": "!=ones"}
        other = Reading("an upstream gradient other than 1", when, having=(_upstream_of("constant", upstream.layout, scale=2.0),))
        only = "of 0" if variants.all_zeros(upstream) else "other than 1"
        yield Trait(f"an upstream gradient {only}", when, (_upstream_of("ones", upstream.layout),), (other,))


def _upstream_of(regime: str, layout: str, scale: float = 1.0) -> Change:
    return lambda recipe: with_array(recipe, GRAD_OUTPUT, ArrayRecipe(regime, scale=scale, layout=layout))


# One for each way in which memory can lie otherwise: other strides, gaps, and backwards.
OTHER_LAYOUTS = ("fortran", "first_columns", "negative_stride")


def _layouts(recipe: Recipe) -> Iterator[Trait]:
    for name, array in recipe.arrays.items():
        if array.layout != "contiguous":
            others = tuple(_replaced(name, layout=other) for other in OTHER_LAYOUTS if other != array.layout)
            wide = Reading(f"{name} not contiguous", {"layout": "!=contiguous"}, one_of=others)
            without = (_replaced(name, layout="contiguous"),)
            yield Trait(f"{name} laid out as {array.layout}", {"layout": array.layout}, without, (wide,))


def _replaced(name: str, **changes: Any) -> Change:
    return lambda recipe: with_array(recipe, name, msgspec.structs.replace(recipe.arrays[name], **changes))
