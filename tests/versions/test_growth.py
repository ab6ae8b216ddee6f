"""Whether errors grew, and which differences of cost count: on figures made for it."""

from __future__ import annotations

import math

import pytest

from xentfuzz.recipes.recipe import ArrayRecipe, Recipe
from xentfuzz.versions.errors import ErrorPair, growths
from xentfuzz.versions.times import failed_when_timed, memory_changes, time_changes
from xentfuzz.versions.worse import worse

RECIPE = Recipe("softmax", "float32", (2, 3), {"logits": ArrayRecipe()})


def growth_of(*pairs):
    (found,) = growths([ErrorPair(RECIPE, "forward", old, new) for old, new in pairs])
    return found


def test_errors_that_grow_and_shrink_alike_are_chance():
    found = growth_of(*[(0.2, 0.4), (0.4, 0.2)] * 20)
    assert (found.cases, found.grown, found.shrunk, found.counts) == (40, 20, 20, False)


def test_more_growing_cases_than_chance_explains_count():
    found = growth_of((0.9, 0.9), *[(0.2, 0.4)] * 8)
    assert found.counts
    assert found.p == pytest.approx(2**-8)


def test_the_largest_error_growing_by_half_counts_at_once():
    assert growth_of((0.4, 0.7), (0.3, 0.3)).counts
    assert not growth_of((0.4, 0.5), (0.3, 0.3)).counts


def test_a_result_that_is_no_number_any_more_counts():
    assert growth_of((0.1, math.inf)).counts


def test_errors_far_below_the_allowed_one_are_no_growth():
    assert not growth_of(*[(0.001, 0.05)] * 30).counts


def timed(name, rounds, **more):
    ordered = sorted(rounds)
    stats = {"data": rounds, "median": ordered[len(rounds) // 2], "q1": ordered[len(rounds) // 4], "q3": ordered[3 * len(rounds) // 4]}
    return row(name) | {"status": "timed", "turns": [1] * len(rounds), "stats": stats} | more


def row(name, **more):
    return {"implementation": name, "operation": "softmax", "measure": "softmax", "dtype": "float32", "shape": [2, 3]} | more


FAST, SLOW = [1.0 + index / 1000 for index in range(8)], [2.0 + index / 1000 for index in range(8)]


def test_times_are_those_of_the_same_functions_on_the_same_input():
    rows = [timed("old", FAST), timed("old (2 calls)", SLOW), timed("new", SLOW), timed("new (2 calls)", FAST)]
    found = time_changes({"rows": rows, "too_busy": False})
    assert [(change.counts, change.percent > 0) for change in found] == [(True, True), (True, False)]


def test_no_time_counts_on_a_busy_machine():
    assert not time_changes({"rows": [timed("old", FAST), timed("new", SLOW)], "too_busy": True})[0].counts


def test_what_turns_out_wrong_when_it_is_timed_is_told():
    wrong = row("new", status="failed", reason="2 ulp off")
    record = {"rows": [timed("old", FAST), wrong]}
    assert failed_when_timed(record) == [wrong]
    assert failed_when_timed({"rows": [row("old", status="failed"), wrong]}) == []


def test_memory_grows_beyond_an_allocators_rounding_only():
    def grew(old, new):
        (found,) = memory_changes({"memory": [row("old", rise=old), row("new", rise=new)]})
        return found["grew"]

    assert grew(10 << 20, 12 << 20)
    assert not grew(10 << 20, (11 << 20) - 1)
    assert not grew(100 << 20, 105 << 20)


def test_a_line_for_everything_that_became_worse():
    record = {
        "findings": {"new": [{"check": "value", "kind": "value", "dtype": "float32", "message": "off by 2\nmore"}], "gone": [], "both": 1},
        "no_longer_taken": ["dtype float64"],
        "newly_taken": ["rank 3"],
        "errors": [growth_of(*[(0.2, 0.4)] * 8).to_dict(), growth_of((0.2, 0.2)).to_dict()],
        "times": [change.to_dict() for change in time_changes({"rows": [timed("old", FAST), timed("new", SLOW)], "too_busy": False})],
        "memory": memory_changes({"memory": [row("old", rise=0), row("new", rise=2 << 20)]}),
        "wrong_when_timed": [row("new", reason="2 ulp off")],
    }
    begins = ("new finding: ", "no longer taken: ", "wrong when it was timed: ", "less accurate: ", "slower: ", "more memory: ")
    assert [any(line.startswith(word) for word in begins) for line in worse(record)] == [True] * len(begins)
    assert worse({"findings": {"new": [], "gone": [], "both": 3}, "no_longer_taken": []}) == []
