"""No case is drawn with a finite logit beyond the largest that an implementation declares."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.checks.refusal import refusal
from xentfuzz.errors import UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.space import Space
from xentfuzz.runner.spaces import common_space, own_space
from xentfuzz.subjects.open import open_subject

OPERATION = get_operation("cross_entropy")


def largest(space: Space, count: int = 100) -> float:
    """Of the finite logits of all cases."""
    found = 0.0
    for recipe in draw_corpus(space, 3, count):
        sizes = np.abs(next(iter(expand(recipe).values.values())).astype(np.float64))
        found = max(found, float(np.max(sizes, where=np.isfinite(sizes), initial=0.0)))
    return found


def capabilities(limit: float):
    implementation = Implementation("limited", _forward, supports={"largest_logit": limit}, dtypes=("float32",))
    return open_subject(implementation, isolate=False).capabilities


def _forward(logits, target, *, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """Of a signature that takes everything."""


@pytest.mark.parametrize("family", ["ordinary", "special"])
@pytest.mark.parametrize("limit", [2e38, 1000.0, 80.0])
def test_nothing_beyond_the_limit_is_drawn(limit: float, family: str) -> None:
    space = common_space(OPERATION, "float32", family)
    limited = own_space(space, OPERATION, capabilities(limit))
    assert limited is not None
    assert (1.0 if limit < 1e30 else 1e5) < largest(limited) <= limit
    assert largest(space) > (1e38 if family == "special" else 1e5)


def test_a_case_beyond_the_limit_is_refused_for_that_reason() -> None:
    (recipe,) = draw_corpus(Space("cross_entropy", "float32", weight=False, options={}), 0, 1)
    case = expand(recipe)
    size = float(np.abs(next(iter(case.values.values()))).max())
    assert refusal(case, OPERATION, capabilities(size)) != f"numbers beyond {size:g}"
    assert refusal(case, OPERATION, capabilities(size / 2)) == f"numbers beyond {size / 2:g}"


@pytest.mark.parametrize("limit", [0, -1.0, "2e38", True, float("nan")])
def test_a_limit_that_is_none_is_refused(limit: object) -> None:
    with pytest.raises(UsageError, match=r"largest_logit=.* wanted a number above 0"):
        Implementation("limited", lambda logits, target: None, supports={"largest_logit": limit})
