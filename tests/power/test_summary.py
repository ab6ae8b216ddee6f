"""What counts as missed and as accused."""

from __future__ import annotations

import pytest

from xentfuzz.command_line.power_text import lines_of
from xentfuzz.errors import UnknownName
from xentfuzz.gallery.catalogue import entry, faulty, honest
from xentfuzz.power.measurement import Measurement
from xentfuzz.power.selection import selected
from xentfuzz.power.summary import summaries


def runs(name, found, profile="default", **more):
    """A run for each of `found`, with seeds 0, 1, ..."""
    return [
        Measurement(
            name, seed, profile, found=hit, check="value" * hit, kind="value" * hit, cases=10 * (seed + 1), seconds=1.0 + seed, **more
        )
        for seed, hit in enumerate(found)
    ]


def summary(*arguments, **more):
    (one,) = summaries(runs(*arguments, **more))
    return one


@pytest.mark.parametrize(("hits", "missed"), [(10, False), (9, False), (8, True), (0, True)])
def test_nine_of_ten_seeds_are_enough(hits, missed):
    one = summary("R02", [True] * hits + [False] * (10 - hits))
    assert one.missed == missed
    assert one.ok != missed
    assert not one.accused


def test_one_accusation_of_an_honest_implementation_is_too_many():
    assert summary("two_pass_shift", [False, True]).accused
    assert not summary("two_pass_shift", [False, True]).ok
    assert summary("two_pass_shift", [False, False]).ok


def test_what_only_the_thorough_profile_can_find_is_missed_there_only():
    assert summary("R60", [False]).ok
    assert summary("R60", [False], profile="thorough").missed


def test_an_error_of_the_harness_is_no_success():
    one = summary("R02", [False], error="TypeError: ...")
    assert not one.ok


def test_figures_are_those_of_the_runs_that_found_it():
    one = summary("R02", [True, True, False])
    assert one.middle_and_worst("cases") == (15, 20)
    assert one.by == "value (value)"


def test_the_largest_shrunk_case_counts():
    (one,) = summaries([Measurement("R02", seed, "default", found=True, shrunk=size) for seed, size in enumerate((4, 6))])
    assert one.shrunk == 6


def test_a_selection_is_by_identifier_category_or_kind():
    assert [found.id for found in selected(["R43", "norm", "R43"])][:2] == ["R43", "R02"]
    assert len(selected(["faulty"])) == len(faulty())
    assert len(selected(["honest"])) == len(honest())
    assert len(selected(None)) == len(faulty()) + len(honest())
    with pytest.raises(UnknownName, match="did you mean 'R43'"):
        selected(["R43x"])


def test_the_table_says_what_was_found_missed_accused_and_left_out():
    measured = [*runs("R02", [True]), *runs("R43", [False]), *runs("two_pass_shift", [True], headline="forward: loss is nan")]
    text = "\n".join(line.text for line in lines_of(summaries(measured), [entry("R60")]))
    assert "found 1 of 2 bugs" in text
    assert "accused 1 of 1 honest implementation" in text
    assert "ACCUSED two_pass_shift (seed 0)" in text
    assert "forward: loss is nan" in text
    assert "only the thorough profile can find: R60" in text
    assert [line.style for line in lines_of(summaries(measured), []) if line.text.startswith("R43")] == ["red"]
    assert f"MISSED R43: {entry('R43').mechanism}"[:60] in text


def test_a_shrunk_case_is_as_small_as_a_person_can_read_or_the_bug_allows():
    needed = entry("R77").smallest
    assert needed > 8
    assert summary("R77", [True], shrunk=2 * needed).small_enough
    assert not summary("R77", [True], shrunk=2 * needed + 1).small_enough
    assert summary("R02", [True], shrunk=8).small_enough
    assert not summary("R02", [True], shrunk=9).small_enough


def test_large_cases_and_scripts_that_show_nothing_are_listed():
    measured = [*runs("R02", [True], shrunk=9), *runs("R43", [True], shrunk=2, script_fault="exit status 0: right")]
    lines = [line.text for line in lines_of(summaries(measured), [])]
    assert "LARGE R02: 9 logits, 4 would do" in lines
    assert "SCRIPT R43 (seed 0): exit status 0: right" in lines
    assert "shrunk cases: 1 of 2 have at most 8 logits, or twice what the bug needs" in lines
    assert "scripts: 1 of 2 show the bug alone" in lines
