"""The comparisons that the usual ways make, by the functions they make them with."""

from __future__ import annotations

import numpy as np

from xentfuzz.gallery.autograd import to_torch
from xentfuzz.power.usual.case import Array, Close


def numpy_close(rtol: float = 1e-5, atol: float = 1e-8, *, equal_nan: bool = False) -> Close:
    """`numpy.allclose`, by default with its defaults; the dtype is not looked at."""

    def close(actual: Array, expected: Array) -> bool:
        return bool(np.allclose(actual.astype(np.float64), expected.astype(np.float64), rtol=rtol, atol=atol, equal_nan=equal_nan))

    return close


def torch_close(rtol: float | None = None, atol: float | None = None) -> Close:
    """`torch.testing.assert_close`, with its tolerances for the dtype where None is given. Another dtype is a difference."""

    def close(actual: Array, expected: Array) -> bool:
        import torch  # noqa: PLC0415 - loaded only where it is asked for

        try:
            torch.testing.assert_close(_tensor(actual), _tensor(expected), rtol=rtol, atol=atol)
        except AssertionError:
            return False
        return True

    return close


def _tensor(array: Array) -> object:
    # A copy: torch warns of arrays that cannot be written, and takes none with negative strides.
    return to_torch(np.array(array, order="C"))
