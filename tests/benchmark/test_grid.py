from __future__ import annotations

import pytest

from xentfuzz.benchmark.grid import get_grid, stored_grids
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
