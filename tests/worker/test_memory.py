"""The shared arena grows on either side and gives nothing outside of itself."""

from __future__ import annotations

import os

import pytest

from xentfuzz.worker.memory import ALIGNMENT, SMALLEST, Arena, aligned, anonymous_file


@pytest.fixture
def both_sides():
    descriptor = anonymous_file()
    yield Arena(descriptor), Arena(descriptor)
    os.close(descriptor)


def test_both_sides_see_the_same_bytes(both_sides):
    one, other = both_sides
    one.part(64, 3)[:] = [1, 2, 3]
    assert other.part(64, 3).tolist() == [1, 2, 3]


def test_either_side_may_grow_it_and_keeps_its_earlier_arrays(both_sides):
    one, other = both_sides
    early = one.part(0, 4)
    other.reach(3 * SMALLEST)
    other.part(3 * SMALLEST - 1, 1)[:] = 9
    one.reach(3 * SMALLEST)
    assert one.part(3 * SMALLEST - 1, 1).tolist() == [9]
    early[:] = 5
    assert other.part(0, 4).tolist() == [5, 5, 5, 5]


@pytest.mark.parametrize(("offset", "size"), [(-1, 2), (0, -1), (SMALLEST, 1), (0, SMALLEST + 1)])
def test_nothing_outside_is_given(both_sides, offset, size):
    with pytest.raises(IndexError):
        both_sides[0].part(offset, size)


def test_offsets_are_rounded_up():
    assert [aligned(offset) for offset in (0, 1, ALIGNMENT, ALIGNMENT + 1)] == [0, ALIGNMENT, ALIGNMENT, 2 * ALIGNMENT]
