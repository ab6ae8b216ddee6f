"""Accuracy grades in words."""

from __future__ import annotations

from xentfuzz.operations.grades import parse_grade


def grade_words(text: str) -> str:
    """Of a report's grade, "lse/any" or "float16: staged/any, float32: shift/any": each with its words, and the dtypes that share it."""
    dtypes: dict[str, list[str]] = {}
    for dtype, grade in _pairs(text):
        dtypes.setdefault(grade, []).extend([dtype] if dtype else [])
    return "; ".join(f"{grade} ({parse_grade(grade).words}){_for(names, dtypes)}" for grade, names in dtypes.items())


def grade_for(text: str, dtype: str) -> str:
    """The grade that a report's grade is for one dtype, with its words."""
    pairs = dict(_pairs(text))
    grade = pairs.get(dtype, pairs.get("", next(iter(pairs.values()))))
    return f"{grade} ({parse_grade(grade).words})"


def _pairs(text: str) -> list[tuple[str, str]]:
    """(dtype, grade), the dtype "" where one grade is that of all."""
    parts = [part.rpartition(": ") for part in text.split(", ")]
    return [(dtype, grade) for dtype, _, grade in parts]


def _for(names: list[str], all_grades: dict[str, list[str]]) -> str:
    return f" for {', '.join(names)}" if len(all_grades) > 1 else ""
