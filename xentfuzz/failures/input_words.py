"""The input of a failure as a person reads it: the recipe in words, and the numbers where there are few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from typing import Any

import numpy as np

from xentfuzz.recipes.recipe import RECORDED

Array = np.ndarray[Any, Any]

# Arrays up to this many elements in all are printed number by number.
TINY = 24
# Of a larger one, so many places are named at which it differs from its most frequent number.
EXCEPTIONS = 8


def input_words(recipe: Mapping[str, Any], case: Mapping[str, Any]) -> list[str]:
    """The recipe in one line, then a line "name = values" for each array where all of them together are tiny, else for each written out.

    recipe: the dict of a record; case: argument name -> array or option value.
    """
    arrays = {name: value for name, value in case.items() if isinstance(value, np.ndarray)}
    if not is_tiny(arrays):
        arrays = {name: value for name, value in arrays.items() if _is_written(recipe["arrays"].get(name, {}))}
    return [recipe_words(recipe, shown=arrays), *array_words(arrays)]


def recipe_words(recipe: Mapping[str, Any], *, shown: Container[str] = ()) -> str:
    """Such as "float32 2x3; logits: ordinary, scale 10, fortran; target: index; reduction='sum'"; what is not named is at its default.

    shown: names of arrays whose numbers are told elsewhere, so that only how they lie in memory is said here.
    """
    shape = "x".join(map(str, recipe["shape"])) or "0-d"
    arrays = {name: [*(() if name in shown else _value_words(array)), *_form_words(array)] for name, array in recipe["arrays"].items()}
    parts = [f"{recipe['dtype']} {shape}"]
    parts += [f"{name}: {', '.join(words)}" for name, words in arrays.items() if words]
    parts += [f"{name}={value!r}" for name, value in recipe.get("options", {}).items()]
    return "; ".join(parts)


def _value_words(array: Mapping[str, Any]) -> list[str]:
    regime = array.get("regime", "ordinary")
    words = ["chosen element by element" if _is_written(array) else regime]
    if array.get("scale", 1.0) != 1.0:
        words.append(f"scale {array['scale']:g}")
    return words + [_edit_words(edit) for edit in array.get("edits", ())]


def _is_written(array: Mapping[str, Any]) -> bool:
    # What was recorded is written out too, and its name says more.
    return array.get("elements") is not None and not array.get("regime", "").startswith(RECORDED)


def _form_words(array: Mapping[str, Any]) -> list[str]:
    return [str(array[key]) for key in ("dtype", "layout") if array.get(key)]


def _edit_words(edit: Mapping[str, Any]) -> str:
    row, start, count = edit.get("row", 0), edit.get("start", 0), edit.get("count", 1)
    rows = "every row" if row == -1 else f"row {row}"
    classes = f"class {start}" if count == 1 else f"classes {start} to {start + count - 1}"
    return f"{edit.get('value', '0')} at {rows} {classes}"


def is_tiny(arrays: Mapping[str, Array]) -> bool:
    """Whether all numbers can be read."""
    return sum(array.size for array in arrays.values()) <= TINY


def array_words(arrays: Mapping[str, Array]) -> list[str]:
    """Such as "logits = [[0.5, 1.0]] float32" for each array; of a larger one "logits = 0.0 but for [3] = 20.0 float32"."""
    return [
        f"{name} = {_numbers(array) if array.size <= TINY else _exceptions(array)} {array.dtype.name}" for name, array in arrays.items()
    ]


def _exceptions(array: Array) -> str:
    texts = [str(number) for number in array.reshape(-1)]
    usual, times = Counter(texts).most_common(1)[0]
    if times == len(texts):
        return f"all {usual}"
    others = [place for place, text in enumerate(texts) if text != usual]
    named = [f"{[int(index) for index in np.unravel_index(place, array.shape)]} = {texts[place]}" for place in others[:EXCEPTIONS]]
    rest = len(others) - len(named)
    return f"{usual} but for {', '.join(named)}{f' and {rest} others' if rest else ''},"


def _numbers(array: Array) -> str:
    if array.ndim == 0:
        # A NumPy scalar prints the shortest digits that give its bits back; a Python float would print those of float64.
        return str(array[()])
    return f"[{', '.join(_numbers(part) for part in array)}]"
