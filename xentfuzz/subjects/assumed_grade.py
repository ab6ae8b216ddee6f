"""The grade of what declares none, where it is not that of everything else."""

from __future__ import annotations

from collections.abc import Mapping

from xentfuzz.dtypes import FORMATS
from xentfuzz.implementation import DEFAULT_GRADE, Implementation

HALF_PRECISION = tuple(name for name, format_ in FORMATS.items() if format_.bits == 16)
# One object, so that it can be told from a grade that somebody declared.
OF_TORCH: Mapping[str, str] = dict.fromkeys(HALF_PRECISION, "staged/any")


def assumed_grade(implementation: Implementation) -> Mapping[str, str] | None:
    """On a CPU torch's own operations, which the target is made of, keep intermediates in 16 bits; None elsewhere."""
    return OF_TORCH if implementation.array == "torch" and implementation.device == "cpu" else None


def grade_notes(implementation: Implementation) -> list[str]:
    """A line that says so where the grade was assumed."""
    if implementation.grade is not OF_TORCH:
        return []
    grade, dtypes = OF_TORCH[HALF_PRECISION[0]], " and ".join(HALF_PRECISION)
    words = f"the grade {grade} in {dtypes} is assumed, not declared: torch's own 16-bit operations on a CPU need it"
    return [f"{words}; --grade {DEFAULT_GRADE} holds it to working precision"]
