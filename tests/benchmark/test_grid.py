from __future__ import annotations

import pytest

from xentfuzz.benchmark.grid import changed_grid, get_grid, stored_grids
from xentfuzz.dtypes import FORMATS
from xentfuzz.errors import UnknownName
from xentfuzz.runner.profiles import PROFILES


def test_every_profile_of_the_runner_has_a_grid() -> None:
    assert set(stored_grids().profiles) == set(PROFILES)


@pytest.mark.parametrize("profile", sorted(stored_grids().profiles))
def test_grids_hold_known_dtypes_and_shapes_that_are_not_empty(profile: str) -> None:
    grid = get_grid(profile)
    assert set(grid.dtypes) <= set(FORMATS)
    assert min(min(shape) for shape in grid.shapes) > 0
    assert grid.seconds > 0


def test_an_unknown_profile_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"unknown profile 'quik'; did you mean 'quick'"):
        get_grid("quik")


def test_growth_is_that_of_the_whole_profile_or_asked_for() -> None:
    default = get_grid("default")
    assert default.growth
    assert changed_grid(default).growth
    assert not changed_grid(default, classes=[16]).growth
    assert changed_grid(get_grid("quick"), classes=[16], growth=True).growth
