"""The robust family: narrow target dtypes and an empty class axis. An implementation may refuse them; an answer must be right."""

from __future__ import annotations

import msgspec

from xentfuzz.operations.options import IGNORE_INDEX
from xentfuzz.operations.roles import target_name
from xentfuzz.recipes.choices import Table, chance, pick
from xentfuzz.recipes.draft import Draft
from xentfuzz.recipes.ordinary import draw_arrays, draw_layouts, draw_options, draw_seed, draw_shape, may_ignore, target_kinds
from xentfuzz.recipes.sizes import MANY_CLASSES, class_counts, fitted, most_rows
from xentfuzz.recipes.target import fits, wrapped_label

# uint8 is what libraries are likeliest to accept beside int64; the 8-bit ones overflow first.
NARROW: Table[str] = Table({"uint8": 8, "int32": 4, "int8": 3, "int16": 2, "uint16": 2, "uint32": 2, "uint64": 2, "bool": 2}.items())
EIGHT_BITS = ("uint8", "int8")
MANY_ROWS = (130, 200, 260, 300, 330)


def draw_robust(draft: Draft) -> None:
    draw_shape(draft)
    kinds = target_kinds(draft)
    if "index" in kinds and not chance(draft.choices, 25):
        draft.target = "index"
        _draw_narrow(draft)
    else:
        draft.target = pick(draft.choices, kinds or ("",))
        _draw_without_classes(draft)
    draw_seed(draft)
    draw_layouts(draft)


def _draw_narrow(draft: Draft) -> None:
    dtype = NARROW.pick(draft.choices)
    pool = class_counts(draft.space, MANY_CLASSES[:8], draft.space.largest)
    # A class beyond what eight bits hold, or the product of a row and the class count.
    if pool and chance(draft.choices, 65 if dtype in EIGHT_BITS else 25):
        draft.classes = pick(draft.choices, pool)
        draft.positions = fitted(tuple(min(count, 2) for count in draft.positions), _most_rows(draft))
    elif dtype in EIGHT_BITS and draft.positions and draft.space.shapes is None:
        # More rows than eight bits count.
        draft.classes = min(draft.classes, 3)
        limit = _most_rows(draft)
        rows = min(pick(draft.choices, MANY_ROWS), limit)
        draft.positions = (rows, *(1 for _ in draft.positions[1:]))
    if dtype == "bool":  # its two labels should both be classes
        draft.classes = max(draft.classes, 2)
    draw_options(draft)
    # What ignore_index wraps to is no label where there is smoothing; another one must be left.
    if draft.classes == 1 and wrapped_label(draft.options.get(IGNORE_INDEX.name, IGNORE_INDEX.default), dtype) == 0:
        draft.classes = 2
    draw_arrays(draft)
    name = target_name(draft.space.operation)
    target = msgspec.structs.replace(draft.arrays[name], dtype=dtype)
    ignore_index = draft.options.get(IGNORE_INDEX.name)
    if ignore_index is not None and not fits(ignore_index, dtype):
        target = msgspec.structs.replace(target, ignored="none")
        if 0 <= wrapped_label(ignore_index, dtype) < draft.classes and chance(draft.choices, 75):
            target = msgspec.structs.replace(target, regime="wrapped")
    draft.arrays[name] = target


def _most_rows(draft: Draft) -> int:
    return most_rows(draft.space, draft.classes, draft.space.largest)


def _draw_without_classes(draft: Draft) -> None:
    """No class: with index targets every row must be ignored, for no label is valid."""
    draft.classes = 0
    draft.positions = tuple(min(count, 3) for count in draft.positions)
    draw_options(draft)
    draw_arrays(draft)
    draft.arrays = {name: array if array.elements is None else type(array)() for name, array in draft.arrays.items()}
    if draft.target != "index":
        return
    name = target_name(draft.space.operation)
    target = draft.arrays[name]
    if may_ignore(draft) and fits(draft.options.get(IGNORE_INDEX.name, 0), target.dtype or "int64"):
        draft.arrays[name] = msgspec.structs.replace(target, ignored="all")
    else:
        draft.positions = (0,) * max(len(draft.positions), 1)
