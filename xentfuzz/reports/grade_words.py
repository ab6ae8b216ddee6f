"""Accuracy grades in words."""

from __future__ import annotations

from xentfuzz.operations.grades import parse_grade


def grade_words(text: str) -> str:
    """Of a report's grade, "lse/any" or "float16: staged/any, float32: shift/any": each with its words, and the dtypes that share it."""
    dtypes = _dtypes(text)
    several = len(dtypes) > 1
    return "; ".join(f"{grade} ({parse_grade(grade).words}){_for(names if several else [])}" for grade, names in dtypes.items())


def stricter_words(text: str) -> str:
    """Of a report's stricter grade, which may be one of some dtypes only."""
    grades = " and ".join(f"{grade}{_for(names)}" for grade, names in _dtypes(text).items())
    return f"all that was compared meets {grades}, which could be declared"


def grade_for(text: str, dtype: str) -> str:
    """The grade that a report's grade is for one dtype, with its words."""
    pairs = dict(_pairs(text))
    grade = pairs.get(dtype, pairs.get("", next(iter(pairs.values()))))
    return f"{grade} ({parse_grade(grade).words})"


def stricter_grade_for(text: str | None, dtype: str) -> str:
    """The grade that could be declared for one dtype, "" where none could."""
    pairs = dict(_pairs(text)) if text else {}
    return pairs.get(dtype, pairs.get("", ""))


def _pairs(text: str) -> list[tuple[str, str]]:
    """(dtype, grade), the dtype "" where one grade is that of all."""
    parts = [part.rpartition(": ") for part in text.split(", ")]
    return [(dtype, grade) for dtype, _, grade in parts]


def _dtypes(text: str) -> dict[str, list[str]]:
    """Grade -> the dtypes that it is named for, none where it is that of all."""
    dtypes: dict[str, list[str]] = {}
    for dtype, grade in _pairs(text):
        dtypes.setdefault(grade, []).extend([dtype] if dtype else [])
    return dtypes


def _for(dtypes: list[str]) -> str:
    return f" for {', '.join(dtypes)}" if dtypes else ""
