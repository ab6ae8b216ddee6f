"""Findings of two versions, told apart by trying; what a version takes no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xentfuzz.failures.failure import failure
from xentfuzz.implementation import Implementation
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.versions import findings

RECIPE = Recipe("softmax", "float32", (2, 3), {"logits": ArrayRecipe(), "grad_output": ArrayRecipe()})
OTHER = Implementation("other", "nowhere:other", operation="softmax")


def found(kind="value", check="value", **more):
    made = failure(kind, f"{kind} found")
    made.check, made.recipe = check, RECIPE.to_dict()
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def answers(monkeypatch):
    """What trying a case on the other version gives, set by a test."""
    given = []
    monkeypatch.setattr(findings, "run_recipe", lambda *_, **__: given[0])
    return given


@pytest.mark.parametrize(
    ("answer", "lacks"),
    [(None, True), (found(), False), (found("gradient"), False), (found("segfault"), True)],
)
def test_the_other_version_has_a_finding_where_its_case_fails_there_in_the_same_way(answers, answer, lacks):
    answers.append(answer)
    mine = found()
    assert findings.lacking([mine], OTHER, []) == ([mine] if lacks else [])


@pytest.mark.parametrize("mine", [found(alone=False), found("nondeterministic", "repeatable")])
def test_what_takes_earlier_calls_or_chance_is_told_by_its_kind(answers, mine):
    answers.append(None)
    same = found(mine.kind, mine.check)
    assert findings.lacking([mine], OTHER, [same]) == []
    assert findings.lacking([mine], OTHER, [found("shape", mine.check)]) == [mine]


def test_what_is_taken_no_more_has_a_name():
    card = Capabilities("cross_entropy", ("float32", "float64"), ("index",), ranks=(2, 3), weight=True, options={"reduction": None})
    less = replace(card, dtypes=("float32",), ranks=(2,), weight=False, options={})
    assert findings.not_taken(card, less) == ["dtype float64", "rank 3", "option reduction", "weights of classes"]
    assert findings.not_taken(less, card) == []
