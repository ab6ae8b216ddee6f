"""The ordinary family: finite logits with every target, weight, option, layout and shape."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from xentfuzz.dtypes import FORMATS
from xentfuzz.operations import kinds
from xentfuzz.operations.operation import Argument
from xentfuzz.operations.options import IGNORE_INDEX, effective_reduction
from xentfuzz.operations.roles import never_ignores, target_name, weight_name
from xentfuzz.recipes.choices import chance, pick
from xentfuzz.recipes.draft import Boost, Draft, as_usual, draw_array, draw_option, draw_regime, draw_scale, layouts_for
from xentfuzz.recipes.log_probs import LOG_PROBS
from xentfuzz.recipes.logits import LOGITS
from xentfuzz.recipes.recipe import GRAD_OUTPUT, ArrayRecipe
from xentfuzz.recipes.shapes import named_axes
from xentfuzz.recipes.sizes import FEW_CLASSES, SOME_CLASSES, draw_positions, draw_size
from xentfuzz.recipes.target import IGNORED, INDEX, PROBABILITIES, fits
from xentfuzz.recipes.upstream import UPSTREAM
from xentfuzz.recipes.weight import WEIGHT

SMALL = 24  # elements of a first argument that may be drawn one by one
FURTHER_LENGTHS = FEW_CLASSES + SOME_CLASSES  # of axes that the first argument does not have
SEEDS = 1 << 16
TABLES = {kinds.LOGITS: LOGITS, kinds.LOG_PROBS: LOG_PROBS}

# Sums over many classes or rows are where accumulators fail: terms of one size, a large one late, numbers that grow.
_LONG_ROW = {"all_equal": 3, "near_ties": 2, "late": 8, "ascending": 3, "swamp": 3, "storage_swamp": 3, "exact_ties": 2}
_MANY_ROWS = {"confident_wrong": 10, "ordinary": 2}
# Layout of an upstream gradient -> how many times more often it is drawn than others: what summing hands back, and a slice.
_OF_UPSTREAM = {"expanded": 6, "broadcast": 5, "broadcast_last": 5, "sliced_rows": 1}
# Weights of one sign: with these an array of one repeated number is as good as any.
_UNIFORM_SIGN = ("positive", "ones", "decades", "spike", "tiny", "negative")


def draw_ordinary(draft: Draft) -> None:
    draw_shape(draft)
    draw_target_kind(draft)
    draw_options(draft)
    draw_arrays(draft)
    draw_seed(draft)
    draw_layouts(draft)


def draw_shape(draft: Draft) -> None:
    if draft.space.shapes is not None:
        draft.positions, draft.classes = pick(draft.choices, draft.space.shapes)
        return
    size, draft.classes = draw_size(draft.choices, draft.space)
    draft.positions = draw_positions(draft.choices, draft.space, size, draft.classes)
    for axis in draft.operation.further_axes:
        draft.sizes[axis] = min(pick(draft.choices, FURTHER_LENGTHS), max(draft.space.largest // max(draft.classes, draft.rows, 1), 1))


def argument(draft: Draft, kind: str) -> Argument | None:
    """The operation's argument of that kind."""
    return next((argument for argument in draft.operation.arguments if argument.kind == kind), None)


def target_kinds(draft: Draft) -> tuple[str, ...]:
    """Of "index" and "probabilities", what the operation and the space allow; () without a target."""
    return tuple(kind for kind in draft.operation.target_kinds if kind in draft.space.targets)


def draw_target_kind(draft: Draft) -> None:
    kinds = target_kinds(draft)
    draft.target = pick(draft.choices, (*kinds[:1], *kinds)) if kinds else ""


def draw_options(draft: Draft) -> None:
    for option in draft.operation.options:
        if option.name in draft.space.options:
            draft.options[option.name] = draw_option(draft, option)
        elif not option.opt_in:
            draft.options[option.name] = option.default
    # Where the only class is the ignored one, nothing is kept: that is for the special family.
    if draft.classes == 1 and draft.options.get(IGNORE_INDEX.name) == 0:
        draft.classes = 2


def draw_arrays(draft: Draft) -> None:
    draw_first(draft)
    if draft.target:
        draw_target(draft)
        draw_weight(draft)
    for argument in draft.operation.arguments[1:]:
        if argument.axes:
            draft.arrays[argument.name] = draw_array(draft, argument.kind, TABLES[argument.kind])
    draw_upstream(draft)


def _logits_boost(draft: Draft) -> Boost:
    boosts: dict[str, int] = {}
    if draft.classes >= 255:
        boosts = _LONG_ROW
    elif draft.rows >= 64:
        boosts = _MANY_ROWS
    return lambda name: boosts.get(name, 1)


def _overflowing(draft: Draft, regime: str) -> Callable[[float], bool]:
    """Many losses of one size are worth most where their sum leaves the format, as it may in float16."""
    largest = FORMATS[draft.space.dtype].max
    return lambda scale: regime == "confident_wrong" and scale * draft.rows > largest


def draw_first(draft: Draft) -> None:
    first = draft.operation.arguments[0]
    count = draft.rows * draft.classes
    if chance(draft.choices, 20) and count <= SMALL and draft.largest_logit >= LARGEST_NUMBER:
        draft.arrays[first.name] = ArrayRecipe(elements=tuple(draw_number(draft) for _ in range(count)))
        return
    regime = draw_regime(draft, first.kind, TABLES[first.kind], _logits_boost(draft))
    scale = draw_scale(draft, TABLES[first.kind][regime], _overflowing(draft, regime), draft.largest_logit)
    draft.arrays[first.name] = ArrayRecipe(regime, scale=scale)


# Of those that `draw_number` gives.
LARGEST_NUMBER = 210.0


def draw_number(draft: Draft) -> str:
    """A number of four decimals at most: small integers, then quarters, then tens, then any."""
    index = draft.choices.index(1 << 16)
    part, place = divmod(index, 1 << 14)
    if part == 3:
        return repr(round((place - 8192) * 0.0021, 4))
    steps = (17, 65, 41)[part]
    zigzag = place * steps >> 14
    whole = (zigzag + 1) // 2 if zigzag % 2 else -(zigzag // 2)
    return repr(whole * (1.0, 0.25, 10.0)[part])


def draw_target(draft: Draft) -> None:
    ignored, dtype = draw_ignored(draft), pick(draft.choices, draft.space.target_dtypes)
    target = draft.operation.target
    assert target is not None
    if draft.target == "probabilities":
        draft.arrays[target.name] = draw_array(draft, target.kind, PROBABILITIES)
    else:
        array = draw_array(draft, target.kind, INDEX)
        draft.arrays[target.name] = indices_in(draft, msgspec.structs.replace(array, ignored=ignored), dtype)


def indices_in(draft: Draft, array: ArrayRecipe, dtype: str) -> ArrayRecipe:
    """Class indices of that dtype; where it can't hold ignore_index no row is ignored."""
    holds = fits(draft.options.get(IGNORE_INDEX.name, 0), dtype)
    return msgspec.structs.replace(array, dtype=None if dtype == "int64" else dtype, ignored=array.ignored if holds else "none")


def may_ignore(draft: Draft) -> bool:
    """Whether rows may be ignored: not by an implementation that declares no value of ignore_index at all."""
    return IGNORE_INDEX.name in draft.options and not never_ignores(draft.space.options)


def draw_ignored(draft: Draft) -> str:
    """Which rows are ignored: none in two of five cases, where there are rows to choose from and an option to do it by."""
    index = draft.choices.index(5 * len(IGNORED))
    if draft.rows < 2 or not may_ignore(draft) or index < 2 * len(IGNORED):
        return "none"
    return list(IGNORED)[(index - 2 * len(IGNORED)) // 3]


def draw_weight(draft: Draft) -> None:
    weight = draft.operation.weight
    if weight is None or not draft.space.weight or not chance(draft.choices, 50):
        return
    # A sum of weights below zero shows only where it divides.
    divides = draft.target == "index" and effective_reduction(draft.options) == "mean"
    draft.arrays[weight.name] = draw_array(draft, weight.kind, WEIGHT, lambda name: 3 if divides and name == "negative" else 1)


def draw_upstream(draft: Draft, boost: Boost = as_usual) -> None:
    """Uneven in most cases where there is more than one number."""
    several = rank_of(draft, GRAD_OUTPUT) > 0
    array = draw_array(draft, "upstream", UPSTREAM, lambda name: boost(name) * (3 if several and name == "uneven" else 1))
    draft.arrays[GRAD_OUTPUT] = msgspec.structs.replace(array, dtype=draft.space.loss_dtype if draft.target else None)


def draw_seed(draft: Draft) -> None:
    seed = draft.choices.index(SEEDS)
    for name, array in draft.arrays.items():
        draft.arrays[name] = msgspec.structs.replace(array, seed=seed)


def draw_layouts(draft: Draft) -> None:
    if not chance(draft.choices, 55):
        return
    for name, array in draft.arrays.items():
        draft.arrays[name] = msgspec.structs.replace(array, layout=draw_layout(draft, name, repeats=may_repeat(draft, name)))


def draw_layout(draft: Draft, name: str, *, repeats: bool) -> str:
    allowed = layouts_for(rank_of(draft, name), draft.space.layouts_at(len(draft.positions) + 1), repeats=repeats)
    if name == GRAD_OUTPUT:  # what summing the losses afterwards hands back, over all axes or over one
        allowed = (*allowed, *(each for each, times in _OF_UPSTREAM.items() if each in allowed for _ in range(times)))
    return pick(draft.choices, allowed)


def rank_of(draft: Draft, name: str) -> int:
    axes = named_axes(draft.operation)
    if axes:
        return len(axes[name])
    if name == weight_name(draft.space.operation):
        return 1
    if name == target_name(draft.space.operation) and draft.target == "index":
        return len(draft.positions)
    if name == GRAD_OUTPUT and draft.target:
        return len(draft.positions) if effective_reduction(draft.options) == "none" else 0
    return len(draft.positions) + 1


def may_repeat(draft: Draft, name: str) -> bool:
    """Whether the array may have stride 0 without taking back what was drawn: some rows ignored, some weights zero."""
    if name == target_name(draft.space.operation):
        return draft.arrays[name].ignored == "none"
    return name != weight_name(draft.space.operation) or draft.arrays[name].regime in _UNIFORM_SIGN
