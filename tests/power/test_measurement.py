"""A measurement says what one run found, and outlives what goes wrong in it."""

from __future__ import annotations

from xentfuzz.power.measurement import Task, measure


def test_a_bug_is_found_and_the_search_ends_there():
    run = measure(Task("R43", 0, "quick"))
    assert run.found
    assert run.error == ""
    assert (run.check, run.kind) == ("gradient", "gradient")
    assert 0 < run.cases < 50
    assert run.findings == 1
    assert run.recipe is not None
    assert run.shrunk is None


def test_the_smallest_case_is_looked_for_where_asked():
    run = measure(Task("R43", 0, "quick", shrink=True))
    assert run.shrunk is not None
    assert run.shrunk <= 8
    assert run.script_fault == ""


def test_what_a_laxer_grade_allows_shrinks_to_what_none_does():
    first, shrunk = (measure(Task("D10", 4, "quick", shrink=shrink)) for shrink in (False, True))
    assert (first.kind, shrunk.kind) == ("accuracy", "value")
    assert shrunk.shrunk <= 8


def test_an_honest_implementation_is_tried_to_the_end_of_the_budget():
    run = measure(Task("two_pass_shift", 0, "quick", budget=0.5))
    assert not run.found
    assert run.cases > 1
    assert run.seconds >= 0.5


def test_a_kernel_starts_without_what_an_earlier_task_left_in_it():
    first, second = (measure(Task("R75", 0, "quick")) for _ in range(2))
    assert (first.cases, first.recipe) == (second.cases, second.recipe)


def test_an_error_of_the_harness_is_part_of_the_measurement():
    assert "unknown entry of the gallery 'R43x'" in measure(Task("R43x", 0, "quick")).error
