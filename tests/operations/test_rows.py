"""Arrays of any rank and layout as blocks of rows, and back."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from xentfuzz.operations import rows
from xentfuzz.operations.rows import Rows, loss_rows

SHAPES = [
    ((5,), 0),
    ((4, 3), 1),
    ((4, 3), 0),
    ((2, 3, 4), 1),
    ((2, 3, 4), 2),
    ((2, 3, 2, 2), 1),
    ((2, 3, 2, 2), 0),
    ((0, 3), 1),
    ((3, 0), 1),
]


@pytest.mark.parametrize("block", [1, 6, 1 << 19])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_every_element_is_in_one_block_and_found_again(
    shape: tuple[int, ...], axis: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "BLOCK_ELEMENTS", block)
    array = np.arange(prod(shape)).reshape(shape)
    of = Rows(shape, axis)
    seen = []
    for part in of.ranges():
        taken = of.take(array, part)
        assert taken.shape == (part.stop - part.start, shape[axis])
        for index in np.ndindex(taken.shape):
            assert array[of.locate(index, part.start)] == taken[index]
            seen.append(int(taken[index]))
    assert sorted(seen) == list(range(array.size))


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_a_row_is_what_lies_along_the_axis(shape: tuple[int, ...], axis: int) -> None:
    array = np.arange(prod(shape)).reshape(shape)
    of = Rows(shape, axis)
    taken = of.take(array, slice(0, of.count))
    for row in range(of.count):
        position = of.locate_position(row)
        assert np.array_equal(taken[row], array[(*position[:axis], slice(None), *position[axis:])])


def test_the_layout_does_not_matter() -> None:
    array = np.arange(24).reshape(2, 3, 4)
    of = Rows((2, 3, 4), 1)
    for other in (np.asfortranarray(array), np.repeat(array, 2, axis=2)[:, :, ::2], array[::-1][::-1]):
        assert np.array_equal(of.take(other, slice(0, 8)), of.take(array, slice(0, 8)))


@pytest.mark.parametrize(("shape", "axis"), [((3,), 0), ((2, 3), 1), ((2, 3, 4), 1), ((2, 3, 4, 5), 1)])
def test_the_class_axis_of_a_loss(shape: tuple[int, ...], axis: int) -> None:
    assert loss_rows(shape) == Rows(shape, axis)


def test_a_block_holds_at_least_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK_ELEMENTS", 10)
    assert list(Rows((3, 100), 1).ranges()) == [slice(0, 1), slice(1, 2), slice(2, 3)]
    assert not Rows((3, 100), 1).fits_one_block
    assert Rows((1, 100), 1).fits_one_block
