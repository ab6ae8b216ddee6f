"""A recipe: the small description from which a case is expanded, bit for bit, on every machine."""

from __future__ import annotations

from typing import Any

import msgspec

from xentfuzz.errors import RecordError

ALL_ROWS = -1
TARGET_CLASS = -1
GRAD_OUTPUT = "grad_output"  # the array that every recipe has beside its operation's arguments
RECORDED = "recorded:"  # how the regime of arrays from a user's own model begins; their name follows
UNIT_SCALE = 1.0  # JSON leaves a default out only where it is this very object


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Overwrite part of an expanded array.

    row: position of the row (wraps around), ALL_ROWS for all. start, count: the run of classes from `start` (wraps around; clipped at the
    row's end), TARGET_CLASS for the class of the row's target.
    value: "nan", "inf", "-inf", "max", "-max", "subnormal", "target" (the logit of the row's target), or a number as Python writes it.
    For arrays without a class axis (targets, upstream gradients) `row` is the position and start/count are not used.
    """

    row: int = 0
    start: int = 0
    count: int = 1
    value: str = "0"


class ArrayRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How one argument is made.

    regime: a name in the table of its kind (`logits.py`, `target.py`, `weight.py`, `upstream.py`). scale: a regime's parameter.
    elements: all values in C order, as Python writes them; the regime then makes nothing, but a target's says still which kind it is.
    dtype: None for the recipe's own (int64 for indices).
    ignored: which rows of index targets are ignored: "none", "all" or a name in `target.IGNORED`.
    """

    regime: str = "ordinary"
    seed: int = 0
    scale: float = UNIT_SCALE
    dtype: str | None = None
    layout: str = "contiguous"
    ignored: str = "none"
    edits: tuple[Edit, ...] = ()
    elements: tuple[str, ...] | None = None


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One case of one operation. shape: of the first argument, the class axis 0 for rank 1 and 1 otherwise.

    sizes: of the named axes that the first argument does not have.
    """

    operation: str
    dtype: str
    shape: tuple[int, ...]
    arrays: dict[str, ArrayRecipe]
    options: dict[str, Any] = {}
    sizes: dict[str, int] = {}

    @property
    def complete(self) -> bool:
        """Whether it rebuilds its case; one that names a recording whose numbers are not written out does not."""
        return not any(array.regime.startswith(RECORDED) and array.elements is None for array in self.arrays.values())

    def to_dict(self) -> dict[str, Any]:
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    def one_line(self) -> str:
        return msgspec.json.encode(self).decode()


def recipe_from(record: dict[str, Any] | str) -> Recipe:
    """The recipe in a JSON line or in the dict of a record. Raises RecordError with the reason."""
    try:
        if isinstance(record, str):
            return msgspec.json.decode(record, type=Recipe)
        return msgspec.convert(record, type=Recipe)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise RecordError(f"not a recipe: {error}") from None
