"""The robust family: narrow target dtypes and an empty class axis. An implementation may refuse them; an answer must be right."""

from __future__ import annotations

import msgspec

from xentfuzz.dtypes import TARGET_NAMES
from xentfuzz.recipes.choices import chance, pick
from xentfuzz.recipes.draft import Draft
from xentfuzz.recipes.ordinary import draw_arrays, draw_layouts, draw_options, draw_seed, draw_shape, draw_target_kind
from xentfuzz.recipes.sizes import MANY_CLASSES, class_counts
from xentfuzz.recipes.target import fits, wrapped_label

NARROW = tuple(name for name in TARGET_NAMES if name != "int64")


def draw_robust(draft: Draft) -> None:
    draw_shape(draft)
    draw_target_kind(draft)
    if draft.target != "index" or chance(draft.choices, 15):
        _draw_without_classes(draft)
    else:
        _draw_narrow(draft)
    draw_seed(draft)
    draw_layouts(draft)


def _draw_narrow(draft: Draft) -> None:
    dtype = pick(draft.choices, NARROW)
    # Row times class count, or a class itself, beyond what eight bits hold.
    pool = class_counts(draft.space, MANY_CLASSES[:8], draft.space.largest)
    if pool and chance(draft.choices, 40):
        draft.classes = pick(draft.choices, pool)
        draft.positions = tuple(min(count, 2) for count in draft.positions)
    draw_options(draft)
    draw_arrays(draft)
    target = msgspec.structs.replace(draft.arrays["target"], dtype=dtype)
    ignore_index = draft.options.get("ignore_index")
    if ignore_index is not None and not fits(ignore_index, dtype):
        target = msgspec.structs.replace(target, ignored="none")
        if 0 <= wrapped_label(ignore_index, dtype) < draft.classes and chance(draft.choices, 60):
            target = msgspec.structs.replace(target, regime="wrapped")
    draft.arrays["target"] = target


def _draw_without_classes(draft: Draft) -> None:
    """No class: with index targets every row must be ignored, for no label is valid."""
    draft.classes = 0
    draft.positions = tuple(min(count, 3) for count in draft.positions)
    draw_options(draft)
    draw_arrays(draft)
    draft.arrays = {name: array if array.elements is None else type(array)() for name, array in draft.arrays.items()}
    if draft.target == "index":
        draft.arrays["target"] = msgspec.structs.replace(draft.arrays["target"], ignored="all")
