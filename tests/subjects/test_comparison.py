"""Bits decide whether an argument was written to."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.recipes.layouts import LAYOUTS, lay_out
from xentfuzz.subjects.comparison import CHUNK, changed_arguments


def after(array, write):
    copy = array.fresh()
    write(copy)
    return changed_arguments({"x": array}, {"x": copy})


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.int64, bool])
@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"read_only"}))
def test_one_element_is_enough(layout, dtype):
    array = lay_out(np.ones((2, 3, 4)).astype(dtype), layout)

    def write(copy):
        copy.view()[(-1,) * 3] = 0

    assert after(array, write) == (("x",), ())


@pytest.mark.parametrize("layout", ["inside_larger_buffer", "sliced_rows", "first_columns", "unaligned"])
def test_a_byte_beside_the_elements_is_outside(layout):
    array = lay_out(np.ones((2, 3), np.float32), layout)
    covered = np.zeros_like(array.storage)
    StridedArray(covered, "uint32", array.shape, array.strides, array.offset).view()[...] = 0xFFFFFFFF
    place = int(np.flatnonzero(covered == 0)[-1])

    def write(copy):
        copy.storage[place] ^= 1

    assert after(array, write) == ((), ("x",))


def test_a_nan_equals_itself_and_zeros_differ_by_their_sign():
    array = StridedArray.of(np.array([np.nan, 0.0]))

    def negate(copy):
        copy.view()[1] = -0.0

    assert after(array, lambda copy: None) == ((), ())
    assert after(array, negate) == (("x",), ())


def test_the_last_byte_of_a_large_array_counts():
    array = StridedArray.of(np.zeros(CHUNK + 5, np.uint8))

    def write(copy):
        copy.storage[-1] = 1

    assert after(array, write) == (("x",), ())


def test_empty_arrays_are_never_changed():
    assert after(StridedArray.of(np.zeros((0, 3))), lambda copy: None) == ((), ())
