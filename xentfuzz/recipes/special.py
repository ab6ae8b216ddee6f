"""The special family: infinities, NaN, the ends of the format, empty batches, nothing kept, weights that sum to zero.

Each case is an ordinary one with a twist. What the contract leaves undefined is not drawn: more than one +inf in a kept row, infinite
probabilities, weights of both signs next to infinite losses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import isfinite

import msgspec

from xentfuzz.dtypes import FORMATS
from xentfuzz.implementation import TARGET_KINDS
from xentfuzz.operations import kinds
from xentfuzz.operations.options import LABEL_SMOOTHING, REDUCTION
from xentfuzz.operations.roles import target_name, weight_name
from xentfuzz.recipes.choices import Table, chance, pick
from xentfuzz.recipes.draft import Draft, draw_array, draw_scale, without
from xentfuzz.recipes.edits import number
from xentfuzz.recipes.log_probs import LOG_PROBS
from xentfuzz.recipes.logits import LOGITS
from xentfuzz.recipes.ordinary import (
    TABLES,
    draw_ignored,
    draw_layout,
    draw_options,
    draw_seed,
    draw_shape,
    draw_target_kind,
    draw_upstream,
    indices_in,
    may_ignore,
)
from xentfuzz.recipes.recipe import ALL_ROWS, GRAD_OUTPUT, TARGET_CLASS, ArrayRecipe, Edit
from xentfuzz.recipes.sizes import class_counts, fitted, most_rows
from xentfuzz.recipes.target import INDEX, PROBABILITIES
from xentfuzz.recipes.weight import WEIGHT

# Special values, the numbers at the ends of the format among them, and both zeros: what every two of them do to each other.
SPECIAL_VALUES = ("nan", "-inf", "inf", "max", "-max", "-0.0", "0.0", "subnormal")
# Two of +inf in a row are left undefined; two zeros are for the ordinary family.
PAIRS = tuple(
    (first, last)
    for first in SPECIAL_VALUES
    for last in SPECIAL_VALUES
    if (first, last) != ("inf", "inf") and not {first, last} <= {"-0.0", "0.0", "subnormal"}
)
MOST_PAIRS = 4  # rows of a case that get a pair of their own: a recipe stays readable
# Tiles that kernels work in, and what is left of them.
ROOMY = (33, 64, 65, 130, 257, 300, 513)
RUNS = (1, 2, 8, 16, 32, 64, 128, 256, 512, 1024)


def draw_special(draft: Draft) -> None:
    draw_shape(draft)
    draw_target_kind(draft)
    draw_options(draft)
    _draw_arrays(draft)
    _twists(draft.operation.arguments[0].kind, draft.target).pick(draft.choices)(draft)
    if draft.target == "index":
        draft.arrays[target_name(draft.space.operation)] = indices_in(
            draft, draft.arrays[target_name(draft.space.operation)], draft.space.target_dtypes[0]
        )
    draw_seed(draft)
    _draw_layouts(draft)


def _draw_arrays(draft: Draft) -> None:
    first = draft.operation.arguments[0]
    draft.arrays[first.name] = draw_array(draft, first.kind, TABLES[first.kind])
    if draft.target == "index":
        ignored = draw_ignored(draft)
        # Edits look at the targets, so that these can't look at the edited logits.
        array = draw_array(draft, kinds.TARGET, INDEX, without("argmax", "argmin"))
        draft.arrays[target_name(draft.space.operation)] = msgspec.structs.replace(array, ignored=ignored)
    elif draft.target:
        draft.arrays[target_name(draft.space.operation)] = draw_array(draft, kinds.TARGET, PROBABILITIES, without("negative"))
    if draft.target and draft.space.weight and draft.operation.weight is not None and chance(draft.choices, 35):
        draft.arrays[weight_name(draft.space.operation)] = draw_array(draft, kinds.WEIGHT, WEIGHT, without("negative", "mixed_signs"))
    draw_upstream(draft, without("zero", "some_zero", "signed_zeros"))


# ---- twists


def _edit_first(draft: Draft, *edits: Edit) -> None:
    name = draft.operation.arguments[0].name
    draft.arrays[name] = msgspec.structs.replace(draft.arrays[name], edits=edits)


def _row(draft: Draft) -> int:
    """One row, or all of them."""
    if draft.rows < 2 or chance(draft.choices, 40):
        return ALL_ROWS
    return pick(draft.choices, (0, draft.rows - 1, draft.choices.index(draft.rows)))


def _run(draft: Draft, row: int, value: str) -> Edit:
    """A run of classes: at the row's beginning, at its end, or at a multiple of its length."""
    lengths = [length for length in RUNS if length < draft.classes] or [1]
    count = pick(draft.choices, lengths)
    places = -(-draft.classes // count)
    start = pick(draft.choices, (0, max(draft.classes - count, 0), draft.choices.index(places) * count))
    return Edit(row, min(start, draft.classes - 1), count, value)


def _taken(draft: Draft, values: Sequence[str]) -> list[str]:
    """Those that an implementation takes which declares its largest logit: the finite ones up to that, and what is not finite."""
    sizes = {value: abs(number(value, FORMATS[draft.space.dtype])) for value in values}
    return [value for value, size in sizes.items() if not isfinite(size) or size <= draft.largest_logit]


def _make_room(draft: Draft) -> None:
    """In half of the cases enough classes for a tile or two."""
    pool = class_counts(draft.space, ROOMY, draft.space.largest)
    if draft.classes < ROOMY[0] and pool and chance(draft.choices, 50):
        draft.classes = pick(draft.choices, pool)
        draft.positions = fitted(draft.positions, most_rows(draft.space, draft.classes, draft.space.largest))


def masked(draft: Draft) -> None:
    """-inf in runs of classes, whatever the targets."""
    _make_room(draft)
    row = _row(draft)
    edits = [_run(draft, row, "-inf")]
    if chance(draft.choices, 30):
        edits.append(_run(draft, row, "-inf"))
    _edit_first(draft, *edits)


def masked_beside_the_target(draft: Draft) -> None:
    """The masking idiom: -inf in runs of classes, but never in the target's."""
    _make_room(draft)
    row = _row(draft)
    _edit_first(draft, _run(draft, row, "-inf"), Edit(row, TARGET_CLASS, 1, pick(draft.choices, _taken(draft, ("0", "1", "-2", "20")))))


def target_masked(draft: Draft) -> None:
    _edit_first(draft, Edit(_row(draft), TARGET_CLASS, 1, "-inf"))


def only_the_target(draft: Draft) -> None:
    row = _row(draft)
    _edit_first(
        draft, Edit(row, 0, draft.classes, "-inf"), Edit(row, TARGET_CLASS, 1, pick(draft.choices, _taken(draft, ("0", "1", "-20"))))
    )


def all_masked(draft: Draft) -> None:
    _edit_first(draft, Edit(_row(draft), 0, draft.classes, "-inf"))


def _place(draft: Draft) -> int:
    return draft.choices.index(draft.classes)


def not_a_number(draft: Draft) -> None:
    _edit_first(draft, Edit(_row(draft), _place(draft), 1, "nan"))


def not_a_number_at_the_target(draft: Draft) -> None:
    _edit_first(draft, Edit(_row(draft), TARGET_CLASS, 1, "nan"))


def infinite(draft: Draft) -> None:
    _edit_first(draft, Edit(_row(draft), _place(draft), 1, "inf"))


def infinite_at_the_target(draft: Draft) -> None:
    _edit_first(draft, Edit(_row(draft), TARGET_CLASS, 1, "inf"))


def _tile(draft: Draft) -> tuple[int, int]:
    """The first and the last class of a tile: the whole row, the first, the last or any one of a length of RUNS."""
    lengths = [draft.classes, *(length for length in RUNS if 1 < length < draft.classes)]
    length = pick(draft.choices, lengths)
    start = pick(draft.choices, (0, draft.classes - length, draft.choices.index(-(-draft.classes // length)) * length))
    return start, min(start + length, draft.classes) - 1


def pairs_in_a_tile(draft: Draft) -> None:
    """Two special values at both ends of a tile, other ones in each row; beside numbers, or in some cases beside nothing but -inf."""
    _make_room(draft)
    _one_loss_for_each_row(draft)
    if draft.rows < 2:
        limit = most_rows(draft.space, draft.classes, draft.space.largest)
        draft.positions = fitted((min(3, limit), *draft.positions[1:])[: len(draft.positions)], limit)
    start, end = _tile(draft)
    taken = set(_taken(draft, SPECIAL_VALUES))
    pairs = [pair for pair in PAIRS if taken.issuperset(pair)]
    chosen, alone = draft.choices.index(len(pairs)), chance(draft.choices, 40)
    edits = [Edit(ALL_ROWS, 0, draft.classes, "-inf")] if alone else []
    for row in range(min(draft.rows, MOST_PAIRS)):
        # The step is prime to the number of pairs, so that the pairs of a case differ in both values.
        first, last = pairs[(chosen + row * 11) % len(pairs)]
        edits += [Edit(row, start, 1, first), Edit(row, end, 1, last)]
    _edit_first(draft, *edits)


def _one_loss_for_each_row(draft: Draft) -> None:
    """In most cases: one NaN hides all else in a mean."""
    allowed = draft.space.options.get(REDUCTION.name, ())
    if (allowed is None or "none" in allowed) and chance(draft.choices, 75):
        draft.options[REDUCTION.name] = "none"


def opposite_infinities(draft: Draft) -> None:
    """+inf in one class, -inf in a run of others or in all of them."""
    _make_room(draft)
    row = _row(draft)
    everywhere = Edit(row, 0, draft.classes, "-inf") if chance(draft.choices, 30) else _run(draft, row, "-inf")
    _edit_first(draft, everywhere, Edit(row, _place(draft), 1, "inf"))


def not_a_number_among_infinities(draft: Draft) -> None:
    """NaN beside nothing but -inf, or beside +inf."""
    row = _row(draft)
    others = Edit(row, 0, draft.classes, "-inf") if chance(draft.choices, 60) else Edit(row, _place(draft), 1, "inf")
    _edit_first(draft, others, Edit(row, _place(draft), 1, "nan"))


def at_the_ends(draft: Draft) -> None:
    """Numbers at the ends of the format, where they are taken."""
    if draft.limited:
        return masked(draft)
    regime = pick(draft.choices, [name for name, regime in LOGITS.items() if regime.family == "special"])
    draft.arrays[draft.operation.arguments[0].name] = ArrayRecipe(regime, scale=draw_scale(draft, LOGITS[regime]))
    return None


def unread_garbage(draft: Draft) -> None:
    name = draft.operation.arguments[0].name
    draft.arrays[name] = ArrayRecipe("unread_garbage", scale=draw_scale(draft, LOG_PROBS["unread_garbage"]))


def ignored_garbage(draft: Draft) -> None:
    """NaN or an infinity in a row that is ignored; the whole row -inf."""
    if not may_ignore(draft):
        return not_a_number(draft)
    pattern = "all" if draft.rows < 2 else pick(draft.choices, ("first", "last"))
    _ignore(draft, pattern)
    row = draft.rows - 1 if pattern == "last" else 0
    value = pick(draft.choices, ("nan", "inf", "-inf"))
    whole = value != "inf" and chance(draft.choices, 50)
    return _edit_first(draft, Edit(row, 0 if whole else _place(draft), draft.classes if whole else 1, value))


def nothing_kept(draft: Draft) -> None:
    _mostly_a_mean(draft)
    return _ignore(draft, "all") if may_ignore(draft) else not_a_number_at_the_target(draft)


def _mostly_a_mean(draft: Draft) -> None:
    """It is a mean's divisor that is 0 there."""
    allowed = draft.space.options.get(REDUCTION.name, ())
    if (allowed is None or "mean" in allowed) and chance(draft.choices, 60):
        draft.options[REDUCTION.name] = "mean"


def _ignore(draft: Draft, pattern: str) -> None:
    draft.arrays[target_name(draft.space.operation)] = msgspec.structs.replace(
        draft.arrays[target_name(draft.space.operation)], ignored=pattern
    )


def no_rows(draft: Draft) -> None:
    """An empty batch or an empty spatial dimension."""
    if not draft.positions:
        return nothing_kept(draft) if draft.target == "index" else all_masked(draft)
    _mostly_a_mean(draft)
    axis = draft.choices.index(len(draft.positions))
    draft.positions = (*draft.positions[:axis], 0, *draft.positions[axis + 1 :])
    return None


def weights_without_sum(draft: Draft) -> None:
    """Weights that are zero, everywhere or for every kept target."""
    if not draft.space.weight:
        return
    _mostly_a_mean(draft)
    regimes = ("all_zero", "kept_targets_zero") if draft.target == "index" else ("all_zero",)
    draft.arrays[weight_name(draft.space.operation)] = ArrayRecipe(pick(draft.choices, regimes))


def unread_weights(draft: Draft) -> None:
    """NaN and infinite weights of classes that are no target: without smoothing nothing reads them."""
    if draft.space.weight:
        draft.arrays[weight_name(draft.space.operation)] = ArrayRecipe("unread_garbage")
        draft.options |= {LABEL_SMOOTHING.name: 0.0} if LABEL_SMOOTHING.name in draft.options else {}


Twist = Callable[[Draft], None]
# twist -> (weight, kinds of the first argument, kinds of targets)
_SOFTMAX = ("", *TARGET_KINDS)
_LOSSES = (kinds.LOGITS, kinds.LOG_PROBS)
TWISTS: dict[Twist, tuple[int, tuple[str, ...], tuple[str, ...]]] = {
    masked: (5, (kinds.LOGITS,), _SOFTMAX),
    masked_beside_the_target: (6, (kinds.LOGITS,), TARGET_KINDS),
    target_masked: (4, _LOSSES, TARGET_KINDS),
    only_the_target: (2, (kinds.LOGITS,), TARGET_KINDS),
    all_masked: (4, (kinds.LOGITS,), _SOFTMAX),
    not_a_number: (4, _LOSSES, _SOFTMAX),
    not_a_number_at_the_target: (1, _LOSSES, TARGET_KINDS),
    infinite: (3, (kinds.LOGITS,), _SOFTMAX),
    infinite_at_the_target: (2, (kinds.LOGITS,), TARGET_KINDS),
    opposite_infinities: (3, (kinds.LOGITS,), _SOFTMAX),
    not_a_number_among_infinities: (2, (kinds.LOGITS,), _SOFTMAX),
    pairs_in_a_tile: (7, (kinds.LOGITS,), _SOFTMAX),
    at_the_ends: (5, (kinds.LOGITS,), _SOFTMAX),
    unread_garbage: (3, (kinds.LOG_PROBS,), ("index",)),
    ignored_garbage: (5, _LOSSES, ("index",)),
    nothing_kept: (4, _LOSSES, ("index",)),
    no_rows: (4, _LOSSES, _SOFTMAX),
    weights_without_sum: (4, _LOSSES, TARGET_KINDS),
    unread_weights: (2, _LOSSES, ("index",)),
}


@lru_cache(maxsize=16)
def _twists(first: str, target: str) -> Table[Twist]:
    return Table((twist, weight) for twist, (weight, firsts, targets) in TWISTS.items() if first in firsts and target in targets)


def _draw_layouts(draft: Draft) -> None:
    """As for ordinary cases, but nothing repeats what has been put at chosen places."""
    if not chance(draft.choices, 35):
        return
    for name, array in draft.arrays.items():
        draft.arrays[name] = msgspec.structs.replace(array, layout=draw_layout(draft, name, repeats=name == GRAD_OUTPUT))
