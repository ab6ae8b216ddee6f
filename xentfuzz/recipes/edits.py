"""Edits: numbers put at chosen places of an array that a regime has filled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xentfuzz.dtypes import FloatFormat
from xentfuzz.errors import RecordError
from xentfuzz.recipes.recipe import ALL_ROWS, TARGET_CLASS, Edit
from xentfuzz.recipes.words import Array


def number(text: str, form: FloatFormat) -> float:
    """The number that an edit's value stands for: a name, or a number as Python writes it."""
    names = {"max": form.max, "-max": -form.max, "subnormal": form.smallest_subnormal}
    if text in names:
        return names[text]
    try:
        return float(text)
    except ValueError:
        raise RecordError(f'an edit\'s value is a number, "target" or one of {", ".join(names)}, not {text!r}') from None


def _rows(edit: Edit, count: int) -> Array:
    return np.arange(count) if edit.row == ALL_ROWS else np.array([edit.row % count])


def _classes(edit: Edit, rows: Array, classes: int, labels: Array | None) -> Array:
    """(rows, classes) bool: the cells that the edit is about."""
    places = np.arange(classes)
    if edit.start == TARGET_CLASS:
        if labels is None:
            return np.zeros((len(rows), classes), bool)
        mask: Array = places == labels[rows][:, None]
        return mask
    start = edit.start % classes
    return np.broadcast_to((places >= start) & (places < start + edit.count), (len(rows), classes))


def apply_edits(numbers: Array, edits: Sequence[Edit], form: FloatFormat, labels: Array | None) -> Array:
    """Overwrite cells of `numbers` (rows, classes); labels (rows,) say where each row's target is. Edits apply in order."""
    if not edits or not numbers.size:
        return numbers
    if labels is not None and len(labels) != len(numbers):  # weights have no row of their own for each label
        labels = None
    numbers = np.array(numbers, np.float64)
    for edit in edits:
        rows = _rows(edit, len(numbers))
        mask = _classes(edit, rows, numbers.shape[1], labels)
        numbers[rows] = np.where(mask, _values(edit, numbers, rows, form, labels), numbers[rows])
    return numbers


def _values(edit: Edit, numbers: Array, rows: Array, form: FloatFormat, labels: Array | None) -> Array:
    if edit.value != "target":
        return np.array(number(edit.value, form))
    if labels is None:
        return numbers[rows]
    return numbers[rows, labels[rows]][:, None]
