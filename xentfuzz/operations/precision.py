"""The arithmetic that exact results are computed in.

16- and 32-bit inputs: float64, whose error is below 1e-9 of the float32 bound. float64 inputs: long double where it has 64 bits of
precision or more and a wider exponent (x86, quadruple precision on aarch64 Linux), else double-double. float64 with an exact summation is
not enough: the rounding of its exp alone is 0.3 of the strictest bound.

A "wide" array is a NumPy array or a DoubleDouble; both understand + - * /, np.exp, np.log1p, sum, indexing and reshape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.operations.double_double import DoubleDouble

Array = np.ndarray[Any, Any]
Wide = Any

LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class NativePrecision:
    """Exact results in a format of the machine."""

    dtype: np.dtype[Any]
    saturates = False

    def widen(self, values: Array) -> Wide:
        """`values` in this precision; float64 and narrower formats are represented exactly."""
        return values.astype(self.dtype, copy=False)

    def zeros(self, shape: tuple[int, ...]) -> Wide:
        return np.zeros(shape, self.dtype)

    def empty(self, shape: tuple[int, ...]) -> Wide:
        return np.empty(shape, self.dtype)

    def difference(self, left: Array, right: Array) -> Wide:
        """left - right of float64 arrays."""
        return left.astype(self.dtype, copy=False) - right

    def narrow(self, wide: Wide) -> Array:
        """Rounded to float64, for error bounds; beyond its range its largest number, so that bounds stay finite."""
        if self.dtype == np.float64:
            return np.asarray(wide)
        narrowed: Array = np.clip(wide, -LARGEST, LARGEST).astype(np.float64)
        return narrowed

    def result(self, wide: Wide) -> Array:
        """What a Block holds as exact."""
        return np.asarray(wide)

    def representation_error(self, exact: Array) -> Array | float:
        """How far `result` may be from the value that it stands for, beyond the error of the arithmetic: nothing."""
        del exact
        return 0.0


@dataclass(frozen=True)
class DoubleDoublePrecision:
    """Exact results as unevaluated sums of two float64 numbers: about 104 bits, with the exponent range of float64.

    It saturates: a difference of logits beyond the largest float64 number counts as that number.
    """

    saturates = True

    def widen(self, values: Array) -> Wide:
        return DoubleDouble.of(values)

    def zeros(self, shape: tuple[int, ...]) -> Wide:
        return DoubleDouble.of(np.zeros(shape))

    def empty(self, shape: tuple[int, ...]) -> Wide:
        return self.zeros(shape)

    def difference(self, left: Array, right: Array) -> Wide:
        difference = DoubleDouble.of(left) - right
        beyond = ~np.isfinite(difference.high)
        if beyond.any():
            difference[beyond] = np.copysign(LARGEST, difference.high[beyond])
        return difference

    def narrow(self, wide: Wide) -> Array:
        high = wide.high if isinstance(wide, DoubleDouble) else np.asarray(wide)
        narrowed: Array = np.clip(high, -LARGEST, LARGEST)
        return narrowed

    def result(self, wide: Wide) -> Array:
        return np.asarray(wide.high if isinstance(wide, DoubleDouble) else wide)

    def representation_error(self, exact: Array) -> Array | float:
        """A Block holds float64 at most here, so the low part is lost."""
        error: Array = np.minimum(np.abs(exact), LARGEST) * 2.0**-53
        return error


Precision = NativePrecision | DoubleDoublePrecision

FLOAT64 = NativePrecision(np.dtype(np.float64))
LONG_DOUBLE = NativePrecision(np.dtype(np.longdouble))
DOUBLE_DOUBLE = DoubleDoublePrecision()


def _long_double_is_wider() -> bool:
    limits = np.finfo(np.longdouble)
    return bool(limits.nmant >= 63 and limits.maxexp >= 16384)


EXTENDED: Precision = LONG_DOUBLE if _long_double_is_wider() else DOUBLE_DOUBLE


def precision_for(dtype: str) -> Precision:
    """The arithmetic for exact results of an operation whose first argument has this dtype."""
    return EXTENDED if dtype == "float64" else FLOAT64


def concatenate(parts: list[Wide]) -> Wide:
    """Wide arrays end to end."""
    if isinstance(parts[0], DoubleDouble):
        return DoubleDouble(np.concatenate([part.high for part in parts]), np.concatenate([part.low for part in parts]))
    return np.concatenate(parts)
