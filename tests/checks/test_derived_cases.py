"""How large the cases are that checks make themselves."""

from __future__ import annotations

import pytest

from xentfuzz.checks.derived_cases import with_many_rows
from xentfuzz.checks.trial import UNLIMITED, Affordable, Trial
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.space import Space
from xentfuzz.subjects.open import open_subject

OPERATION = get_operation("cross_entropy")
SPACE = Space("cross_entropy", "float32", weight=False, targets=("index",), options={"reduction": ("none",)}, shapes=(((2,), 5),))


def _forward(logits, target, *, reduction="none"):
    """Of a loss for each row."""


@pytest.mark.parametrize(
    ("affordable", "declared", "rows"),
    [
        (UNLIMITED, None, 1000),
        (Affordable(rows=32), None, 32),
        (Affordable(rows=32), 20, 20),
        (Affordable(elements=100), None, 20),
        (Affordable(rows=3), None, None),
    ],
)
def test_many_rows_are_as_many_as_can_be_afforded(affordable: Affordable, declared: int | None, rows: int | None) -> None:
    supports = {} if declared is None else {"largest_row_count": declared}
    subject = open_subject(Implementation("subject", _forward, supports=supports, dtypes=("float32",)), isolate=False)
    (recipe,) = draw_corpus(SPACE, 0, 1)
    case = expand(recipe)
    grown = with_many_rows(Trial(OPERATION, case, OPERATION.evaluate(case), subject, affordable=affordable), case, 5000)
    assert (None if grown is None else grown.values["logits"].shape[0]) == rows
