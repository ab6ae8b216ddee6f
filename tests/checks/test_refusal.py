"""Which options of a case are no part of what an implementation takes."""

from __future__ import annotations

import msgspec
import pytest

from xentfuzz.checks.refusal import refusal
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.space import Space
from xentfuzz.subjects.open import open_subject

OPERATION = get_operation("cross_entropy")


def _forward(logits, target, *, ignore_index=-100, reduction="none"):
    """Of a signature that takes every reduction."""


@pytest.mark.parametrize(
    ("declared", "passed", "reason"),
    [
        (("none",), "mean", "reduction='mean'"),
        (("none",), "none", None),
        (("none", "mean"), "mean", None),
        (None, "mean", None),
        ((), "mean", None),
        ((), "none", "reduction"),
    ],
)
def test_the_default_is_taken_unless_other_values_are_declared(declared: tuple[str, ...] | None, passed: str, reason: str | None) -> None:
    implementation = Implementation("subject", _forward, supports={"options": {"reduction": declared}}, dtypes=("float32",))
    capabilities = open_subject(implementation, isolate=False).capabilities
    (recipe,) = draw_corpus(Space("cross_entropy", "float32", weight=False, options={}, targets=("index",)), 0, 1)
    case = expand(msgspec.structs.replace(recipe, options={"reduction": passed}))
    assert refusal(case, OPERATION, capabilities) == reason
