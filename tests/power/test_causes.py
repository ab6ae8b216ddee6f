"""How many findings one cause is told as is counted on checks that run to their end."""

from __future__ import annotations

from pathlib import Path

from xentfuzz.power.causes import Told, distribution, told
from xentfuzz.power.measurement import Task


def test_the_percentile_is_that_of_targets_of_which_something_was_told() -> None:
    found = [Told(str(number), (("value", "value"),) * number) for number in (0, 1, 1, 1, 3)]
    assert distribution(found) == {"targets": 4, "median": 1, "percentile_90": 2.4, "most": 3}
    assert distribution([]) == {"targets": 0, "median": 0, "percentile_90": 0, "most": 0}


def test_a_bug_of_the_gallery_is_checked_to_its_end() -> None:
    one = told(Task("R69", 0, "quick", shrink=True))
    assert one.found == (("special_value", "special"),)
    assert not one.error


def test_what_cannot_be_checked_is_an_error_of_that_target_alone(tmp_path: Path) -> None:
    assert told(Task(f"{tmp_path / 'nothing.py'}:softmax", 0, "quick")).error
