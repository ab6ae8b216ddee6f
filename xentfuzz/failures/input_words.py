"""The input of a failure as a person reads it: the recipe in words, and the numbers where there are few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

# Arrays up to this many elements in all are printed number by number.
TINY = 24


def input_words(recipe: Mapping[str, Any], case: Mapping[str, Any]) -> list[str]:
    """The recipe in one line, then a line "name = values" for each array where all of them together are tiny.

    recipe: the dict of a record; case: argument name -> array or option value.
    """
    numbers = case_words(case)
    return [recipe_words(recipe, with_values=not numbers), *numbers]


def recipe_words(recipe: Mapping[str, Any], *, with_values: bool = True) -> str:
    """Such as "float32 2x3; logits: ordinary, scale 10, fortran; target: index; reduction='sum'"; what is not named is at its default.

    with_values: say how the values were drawn, not only how the arrays lie in memory.
    """
    shape = "x".join(map(str, recipe["shape"])) or "0-d"
    arrays = {name: [*(_value_words(array) if with_values else ()), *_form_words(array)] for name, array in recipe["arrays"].items()}
    parts = [f"{recipe['dtype']} {shape}"]
    parts += [f"{name}: {', '.join(words)}" for name, words in arrays.items() if words]
    parts += [f"{name}={value!r}" for name, value in recipe.get("options", {}).items()]
    return "; ".join(parts)


def _value_words(array: Mapping[str, Any]) -> list[str]:
    regime = array.get("regime", "ordinary")
    # What was recorded is written out too, and its name says more.
    words = [regime if array.get("elements") is None or regime.startswith("recorded:") else "chosen element by element"]
    if array.get("scale", 1.0) != 1.0:
        words.append(f"scale {array['scale']:g}")
    return words + [_edit_words(edit) for edit in array.get("edits", ())]


def _form_words(array: Mapping[str, Any]) -> list[str]:
    return [str(array[key]) for key in ("dtype", "layout") if array.get(key)]


def _edit_words(edit: Mapping[str, Any]) -> str:
    row, start, count = edit.get("row", 0), edit.get("start", 0), edit.get("count", 1)
    rows = "every row" if row == -1 else f"row {row}"
    classes = f"class {start}" if count == 1 else f"classes {start} to {start + count - 1}"
    return f"{edit.get('value', '0')} at {rows} {classes}"


def case_words(case: Mapping[str, Any]) -> list[str]:
    """Such as "logits = [[0.5, 1.0]] float32" for each array; [] where there are too many numbers to read."""
    arrays = {name: value for name, value in case.items() if isinstance(value, np.ndarray)}
    if sum(array.size for array in arrays.values()) > TINY:
        return []
    return [f"{name} = {_numbers(array)} {array.dtype.name}" for name, array in arrays.items()]


def _numbers(array: np.ndarray[Any, Any]) -> str:
    if array.ndim == 0:
        # A NumPy scalar prints the shortest digits that give its bits back; a Python float would print those of float64.
        return str(array[()])
    return f"[{', '.join(_numbers(part) for part in array)}]"
