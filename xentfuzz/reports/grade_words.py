"""Accuracy grades in words."""

from __future__ import annotations

from xentfuzz.operations.grades import parse_grade


def grade_words(text: str) -> str:
    """Of a report's grade, "lse/any" or "float16: staged/any, float32: shift/any": each with its words, and the dtypes that share it."""
    dtypes: dict[str, list[str]] = {}
    for part in text.split(", "):
        dtype, _, grade = part.rpartition(": ")
        dtypes.setdefault(grade, []).extend([dtype] if dtype else [])
    return "; ".join(f"{grade} ({parse_grade(grade).words}){_for(names, dtypes)}" for grade, names in dtypes.items())


def _for(names: list[str], all_grades: dict[str, list[str]]) -> str:
    return f" for {', '.join(names)}" if len(all_grades) > 1 else ""
