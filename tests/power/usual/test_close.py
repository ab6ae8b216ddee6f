"""How close is close enough, as numpy and torch see it."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.dtypes import numpy_dtype
from xentfuzz.power.usual.close import numpy_close, torch_close

ONE = np.float32([1.0, 100.0])


@pytest.mark.parametrize("close", [numpy_close(), torch_close()])
def test_a_rounding_is_close_and_a_per_mille_is_not(close):
    assert close(ONE, ONE * np.float32(1 + 1e-6))
    assert not close(ONE, ONE * np.float32(1.001))


@pytest.mark.parametrize("close", [numpy_close(), torch_close()])
def test_not_a_number_differs_from_itself(close):
    assert not close(ONE * np.nan, ONE * np.nan)


def test_only_torch_looks_at_the_dtype():
    assert numpy_close()(ONE.astype(np.float64), ONE)
    assert not torch_close()(ONE.astype(np.float64), ONE)


def test_torch_has_a_tolerance_for_each_dtype():
    ones = np.ones(2, numpy_dtype("bfloat16"))
    assert torch_close()(ones, ones * ones.dtype.type(1.0078125))
    assert not torch_close(1e-5, 1e-5)(ones, ones * ones.dtype.type(1.0078125))


def test_an_absolute_tolerance_swallows_small_differences():
    assert torch_close(0.0, 1e-3)(ONE, ONE + np.float32(5e-4))
    assert not torch_close(0.0, 1e-4)(ONE, ONE + np.float32(5e-4))
