"""Accuracy grades: how much rounding error an implementation promises to stay within (see `bounds.py` for the derivation)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xentfuzz.errors import UsageError

# Each form with the forms that it admits: fast-math and 16-bit intermediates are lax in ways of their own.
ADMITTED = {
    "shift": ("shift",),
    "lse": ("shift", "lse"),
    "fast-math": ("shift", "lse", "fast-math"),
    "staged": ("shift", "lse", "staged"),
}
FORMS = tuple(ADMITTED)
SUMMATIONS = ("pairwise", "blocked", "any")
WORDS = {
    "shift": "strict",
    "lse": "working precision",
    "fast-math": "approximate exp, log and quotients",
    "staged": "16-bit intermediates",
}


@dataclass(frozen=True)
class Grade:
    """form: the algebraic form that the bound admits; summation: the orders of summation that it admits.

    "blocked" means at least 16 partial sums, whatever the processor. A loop that a compiler vectorises has as many as the processor's
    vectors have lanes: 8, 4 or 2 on another machine, where the same kernel exceeds the bound.

    without: a step of the derivation that the bound leaves out, which shows how much of it is for that step; "" for the whole bound.
    """

    form: str
    summation: str
    without: str = ""

    def __str__(self) -> str:
        return f"{self.form}/{self.summation}"

    @property
    def words(self) -> str:
        return WORDS[self.form]

    def admits(self, other: Grade) -> bool:
        """Whether whatever meets `other` meets this one: its form and its summation are as lax or laxer."""
        return other.form in ADMITTED[self.form] and SUMMATIONS.index(other.summation) <= SUMMATIONS.index(self.summation)

    def leaving_out(self, step: str) -> Grade:
        """The same without one of `steps.STEPS`."""
        return replace(self, without=step)


def parse_grade(text: str) -> Grade:
    """The grade written "form/summation". Raises UsageError for anything else."""
    form, _, summation = text.partition("/")
    if form not in FORMS or summation not in SUMMATIONS:
        raise UsageError(f"grade {text!r} is not FORM/SUMMATION with FORM of {', '.join(FORMS)} and SUMMATION of {', '.join(SUMMATIONS)}")
    return Grade(form, summation)


# From strict to lax: the order in which messages look for the first laxer grade that is met, and for the strictest that could be declared.
LADDER = tuple(
    parse_grade(text)
    for text in (
        *("shift/pairwise", "shift/blocked", "shift/any", "lse/pairwise", "lse/blocked", "lse/any"),
        *("fast-math/any", "staged/any"),
    )
)


def stricter_than(grade: Grade) -> tuple[Grade, ...]:
    """The grades that promise more, the strictest first."""
    return tuple(other for other in LADDER if other != grade and grade.admits(other))


def laxer_than(grade: Grade) -> tuple[Grade, ...]:
    """The grades of no stricter form that it does not admit, from strict to lax."""
    return tuple(
        other for other in LADDER if not grade.admits(other) and (other.form == grade.form or other.form not in ADMITTED[grade.form])
    )
