"""Replay: a record or a recipe once more, on what is registered or named, never on what only the record names."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.errors import RecordError, UnknownName, UsageError
from xentfuzz.failures import record, replay
from xentfuzz.failures.replay import Outcome
from xentfuzz.implementation import Implementation
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import ArrayRecipe, Recipe

MINE = Implementation("mine", lambda logits, target: None)
RECIPE = Recipe(
    "cross_entropy",
    "float32",
    (2, 3),
    {"logits": ArrayRecipe(scale=3.0, layout="fortran"), "target": ArrayRecipe("cycle")},
    {"reduction": "sum"},
)


@pytest.fixture(autouse=True)
def _only_mine_is_registered(monkeypatch):
    def get(name, operation):
        if (name, operation) != ("mine", "cross_entropy"):
            raise UnknownName("implementation", name, ["mine"])
        return MINE

    monkeypatch.setattr(replay, "get", get)


@pytest.fixture
def saved(make_failure, tmp_path):
    """The path of a record of RECIPE; called with a change to its failure."""

    def save(change=lambda failure: None):
        failure = make_failure().about("value", "mine", RECIPE, expand(RECIPE))
        change(failure)
        path = tmp_path / "failure.json"
        path.write_bytes(record.encode(failure))
        return str(path)

    return save


def test_a_failure_that_is_still_there(make_failure, saved):
    asked = []
    again = make_failure(message="loss is 2.0")

    def run_check(*asked_for):
        asked.append(asked_for)
        return again

    replayed = replay.replay(saved(), run_check)
    assert (replayed.outcome, replayed.message, replayed.failure) == (Outcome.STILL_FAILS, "mine still fails: loss is 2.0", again)
    assert asked == [(MINE, "value", RECIPE)]


def test_a_failure_that_is_mended(saved):
    replayed = replay.replay(saved(), lambda *_: None)
    assert (replayed.outcome, replayed.message) == (Outcome.NO_LONGER_FAILS, "mine no longer fails")


def test_the_exit_statuses_are_those_of_git_bisect():
    assert [int(outcome) for outcome in Outcome] == [0, 1, 125]


def test_code_that_only_the_record_names_is_never_imported(saved, tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)

    def rename(failure):
        failure.implementation = "trap.py:loss"

    replayed = replay.replay(saved(rename), lambda *_: pytest.fail("was run"))
    assert replayed.outcome == Outcome.CANNOT_RUN
    assert "unknown implementation 'trap.py:loss'" in replayed.message
    assert "name the TARGET" in replayed.message


def test_a_target_takes_the_place_of_what_the_record_names(saved):
    other = Implementation("other", lambda logits, target: None)
    asked = []
    replay.replay(saved(), lambda *given: asked.append(given), other)
    assert asked == [(other, "value", RECIPE)]


def _refused(*_):
    raise UsageError("needs a GPU")


def test_what_cannot_run_says_why(saved):
    replayed = replay.replay(saved(), _refused)
    assert (replayed.outcome, replayed.message) == (Outcome.CANNOT_RUN, "needs a GPU")
    softmax = Implementation("s", lambda logits, axis: None, operation="softmax")
    assert replay.replay(saved(), _refused, softmax).message == "s is an implementation of softmax, the case is one of cross_entropy"


def test_stored_arrays_are_used_where_the_recipe_gives_others(saved):
    def old_generator(failure):
        failure.arrays["logits"].view()[...] = [[1, np.nan, -np.inf], [0.1, 2, 1e-30]]

    asked = []
    replayed = replay.replay(saved(old_generator), lambda *given: asked.append(given))
    assert replayed.outcome == Outcome.NO_LONGER_FAILS
    assert replayed.message.startswith("the recipe gives other arrays by now (logits); replayed with the stored ones")
    ((_, _, recipe),) = asked
    logits = expand(recipe).arrays["logits"]
    assert logits.view().tobytes() == np.array([[1, np.nan, -np.inf], [0.1, 2, 1e-30]], np.float32).tobytes()
    assert (recipe.arrays["logits"].layout, recipe.options) == ("fortran", {"reduction": "sum"})
    assert expand(recipe).values["target"].tolist() == expand(RECIPE).values["target"].tolist()


def test_arrays_that_were_too_large_to_store_cannot_be_replaced(saved, monkeypatch):
    monkeypatch.setattr(record, "LARGEST_STORED", 20)

    def old_generator(failure):
        failure.arrays["logits"].view()[...] = 7

    replayed = replay.replay(saved(old_generator), lambda *_: pytest.fail("was run"))
    assert (replayed.outcome, "too large" in replayed.message) == (Outcome.CANNOT_RUN, True)


def test_a_pasted_recipe_runs_all_checks_on_the_target(make_failure):
    asked = []
    replayed = replay.replay(RECIPE.one_line(), lambda *given: asked.append(given), MINE)
    assert (replayed.outcome, asked) == (Outcome.NO_LONGER_FAILS, [(MINE, None, RECIPE)])


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (RECIPE.one_line(), UsageError, "name a TARGET"),
        ('{"operation": "cross_entropy"}', RecordError, "not a recipe"),
        ("none.json", UsageError, "is no file, and no recipe"),
    ],
)
def test_wrong_usage_is_told(given, error, words):
    with pytest.raises(error, match=words):
        replay.replay(given, _refused)


def test_a_damaged_record_is_told(saved, tmp_path):
    path = saved()
    (tmp_path / "failure.json").write_text("{")
    with pytest.raises(RecordError, match=r"failure\.json is no JSON"):
        replay.replay(path, _refused)
