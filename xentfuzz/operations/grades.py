"""Accuracy grades: how much rounding error an implementation promises to stay within (see `bounds.py` for the derivation)."""

from __future__ import annotations

from dataclasses import dataclass

from xentfuzz.errors import UsageError

FORMS = ("shift", "lse", "staged")
SUMMATIONS = ("pairwise", "blocked", "any")
WORDS = {"shift": "strict", "lse": "working precision", "staged": "16-bit intermediates"}


@dataclass(frozen=True)
class Grade:
    """form: the algebraic form that the bound admits; summation: the orders of summation that it admits."""

    form: str
    summation: str

    def __str__(self) -> str:
        return f"{self.form}/{self.summation}"

    @property
    def words(self) -> str:
        return WORDS[self.form]

    def admits(self, other: Grade) -> bool:
        """Whether whatever meets `other` meets this one: its form and its summation are as lax or laxer."""
        return FORMS.index(other.form) <= FORMS.index(self.form) and SUMMATIONS.index(other.summation) <= SUMMATIONS.index(self.summation)


def parse_grade(text: str) -> Grade:
    """The grade written "form/summation". Raises UsageError for anything else."""
    form, _, summation = text.partition("/")
    if form not in FORMS or summation not in SUMMATIONS:
        raise UsageError(f"grade {text!r} is not FORM/SUMMATION with FORM of {', '.join(FORMS)} and SUMMATION of {', '.join(SUMMATIONS)}")
    return Grade(form, summation)


# From strict to lax: the order in which messages look for the laxest grade that a result meets and the strictest that it could declare.
LADDER = tuple(
    parse_grade(text) for text in ("shift/pairwise", "shift/blocked", "shift/any", "lse/pairwise", "lse/blocked", "lse/any", "staged/any")
)


def stricter_than(grade: Grade) -> tuple[Grade, ...]:
    """The grades that promise more, the strictest first."""
    return tuple(other for other in LADDER if other != grade and grade.admits(other))
