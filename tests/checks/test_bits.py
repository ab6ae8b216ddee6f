"""Two results are the same where their bits are; what differs is named, and which NaN a NaN is means nothing."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from xentfuzz.checks.bits import first_difference

NANS = {"<f8": ("<u8", 0x7FF8000000000000, 0xFFF8000000000123), "<f4": ("<u4", 0x7FC00000, 0xFFC12345), "<f2": ("<u2", 0x7E00, 0xFE01)}


def _of_bits(bits, dtype, *numbers):
    return np.array(numbers, bits).view(dtype)


@pytest.mark.parametrize("dtype", NANS)
def test_which_nan_a_nan_is_is_no_difference(dtype):
    bits, one, other = NANS[dtype]
    assert first_difference({"value": _of_bits(bits, dtype, one, 0)}, {"value": _of_bits(bits, dtype, other, 0)}) is None


def test_which_nan_a_bfloat16_nan_is_is_no_difference():
    one, other = (np.array([bits], np.uint16).view(ml_dtypes.bfloat16) for bits in (0x7FC0, 0xFFC1))
    assert first_difference({"value": one}, {"value": other}) is None


def test_a_difference_beside_a_nan_is_told():
    bits, nan, other = NANS["<f4"]
    before, after = (np.array([[0, of]], bits).view("<f4") for of in (nan, other))
    after[0, 0] = -0.0
    assert first_difference({"value": before}, {"value": after}) == ("value", "0.0, then -0.0 at [0, 0]")


def test_a_nan_that_becomes_a_number_is_told():
    before, after = np.array([np.nan, 1, np.nan], np.float32), np.array([0, 1, 2], np.float32)
    assert first_difference({"value": before}, {"value": after}) == ("value", "nan, then 0.0 at [0], 2 of 3 elements")


def test_numbers_that_print_alike_are_told_by_their_bytes():
    one = np.array([1], np.longdouble)
    other = np.nextafter(one, np.longdouble(2))
    found = first_difference({"value": one}, {"value": other})
    assert found is not None
    assert found[1].startswith("1.0 (bytes 00000000000000")


def test_another_dtype_or_shape_is_told():
    found = first_difference({"value": np.zeros(2, np.float32)}, {"value": np.zeros((2, 1), np.float32)})
    assert found == ("value", "float32[2], then float32[2, 1]")
