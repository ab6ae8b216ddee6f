"""Arrays of unevaluated sums of two float64 numbers (about 104 bits), for machines whose long double is no wider than double.

T. J. Dekker, "A floating-point technique for extending the available precision", Numerische Mathematik 18 (1971), and Y. Hida, X. S. Li,
D. H. Bailey, "Library for double-double and quad-double arithmetic" (2007), for the error-free transformations. Only what exact results
need: + - * /, exp, log1p of non-negative numbers, sums, indexing. NumPy's own functions are understood (np.exp of a DoubleDouble is one).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Pair = tuple[Any, Any]

_SPLITTER = 134217729.0  # 2**27 + 1
_SPLIT_LIMIT = 2.0**996  # beyond it the splitting would overflow
_LN2 = (0.6931471805599453, 2.3190468138462996e-17)
_EXP_HALVINGS = 9
_LOG1P_SERIES_BELOW = 2.0**-12


class DoubleDouble:
    """high + low, with |low| at most half a unit in the last place of high. Infinities and NaN live in `high` alone."""

    __slots__ = ("high", "low")

    def __init__(self, high: Array, low: Array) -> None:
        self.high = high
        self.low = low

    @classmethod
    def of(cls, values: Any) -> DoubleDouble:
        """float64 values, exactly."""
        if isinstance(values, DoubleDouble):
            return values
        high = np.array(values, dtype=np.float64)
        return cls(high, np.zeros_like(high))

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.high.shape
        return shape

    @property
    def size(self) -> int:
        return self.high.size

    def __len__(self) -> int:
        return len(self.high)

    def __getitem__(self, key: Any) -> DoubleDouble:
        return DoubleDouble(self.high[key], self.low[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        pair = DoubleDouble.of(value)
        self.high[key] = pair.high
        self.low[key] = pair.low

    def reshape(self, *shape: int) -> DoubleDouble:
        return DoubleDouble(self.high.reshape(*shape), self.low.reshape(*shape))

    def copy(self) -> DoubleDouble:
        return DoubleDouble(self.high.copy(), self.low.copy())

    def __neg__(self) -> DoubleDouble:
        return DoubleDouble(-self.high, -self.low)

    def __add__(self, other: Any) -> DoubleDouble:
        return _pair(*_add(self, DoubleDouble.of(other)))

    def __sub__(self, other: Any) -> DoubleDouble:
        return self + (-DoubleDouble.of(other))

    def __rsub__(self, other: Any) -> DoubleDouble:
        return DoubleDouble.of(other) - self

    def __mul__(self, other: Any) -> DoubleDouble:
        return _pair(*_multiply(self, DoubleDouble.of(other)))

    def __truediv__(self, other: Any) -> DoubleDouble:
        return _divide(self, DoubleDouble.of(other))

    def __rtruediv__(self, other: Any) -> DoubleDouble:
        return _divide(DoubleDouble.of(other), self)

    __radd__ = __add__
    __rmul__ = __mul__

    def sum(self, axis: int | None = None) -> DoubleDouble:
        """Sum along one axis, or of everything, by halving: the error grows with the logarithm of the length."""
        moved = self.reshape(-1) if axis is None else DoubleDouble(np.moveaxis(self.high, axis, 0), np.moveaxis(self.low, axis, 0))
        if not len(moved):
            return DoubleDouble.of(np.zeros(moved.shape[1:]))
        while len(moved) > 1:
            half = len(moved) // 2
            pairs = moved[:half] + moved[half : 2 * half]
            moved = pairs if len(moved) % 2 == 0 else _append(pairs, moved[2 * half :])
        return moved[0].copy()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        implementation = _UFUNCS.get(ufunc)
        if method != "__call__" or kwargs or implementation is None:
            return NotImplemented
        return implementation(*(DoubleDouble.of(value) for value in inputs))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        del copy
        return np.asarray(self.high, dtype)


def _append(front: DoubleDouble, back: DoubleDouble) -> DoubleDouble:
    return DoubleDouble(np.concatenate([front.high, back.high]), np.concatenate([front.low, back.low]))


def _pair(high: Any, low: Any) -> DoubleDouble:
    return DoubleDouble(high, _unless_overflown(high, low))


def _unless_overflown(high: Any, low: Any) -> Any:
    # The error term of an infinite result is NaN and means nothing.
    return np.where(np.isfinite(high), low, 0.0)


def _two_sum(a: Any, b: Any) -> Pair:
    total = a + b
    part = total - a
    return total, _unless_overflown(total, (a - (total - part)) + (b - part))


def _quick_two_sum(a: Any, b: Any) -> Pair:
    total = a + b
    return total, _unless_overflown(total, b - (total - a))


def _split(a: Any) -> Pair:
    large = np.abs(a) > _SPLIT_LIMIT
    scaled = np.where(large, a * 2.0**-28, a)
    head = _SPLITTER * scaled
    high = head - (head - scaled)
    low = scaled - high
    return np.where(large, high * 2.0**28, high), np.where(large, low * 2.0**28, low)


def _two_product(a: Any, b: Any) -> Pair:
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return product, _unless_overflown(product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low)


def _add(a: DoubleDouble, b: DoubleDouble) -> Pair:
    high, error = _two_sum(a.high, b.high)
    low, low_error = _two_sum(a.low, b.low)
    high, error = _quick_two_sum(high, error + low)
    return _quick_two_sum(high, error + low_error)


def _multiply(a: DoubleDouble, b: DoubleDouble) -> Pair:
    high, error = _two_product(a.high, b.high)
    return _quick_two_sum(high, error + (a.high * b.low + a.low * b.high))


def _divide(a: DoubleDouble, b: DoubleDouble) -> DoubleDouble:
    first = a.high / b.high
    rest = a - b * first
    second = _unless_overflown(first, rest.high / b.high)
    rest = rest - b * second
    third = _unless_overflown(first, rest.high / b.high)
    quotient: DoubleDouble = _pair(*_quick_two_sum(first, second)) + third
    return quotient


def _ldexp(a: DoubleDouble, exponent: Any) -> DoubleDouble:
    return DoubleDouble(np.ldexp(a.high, exponent), np.ldexp(a.low, exponent))


def _series(a: DoubleDouble, coefficients: tuple[float, ...]) -> DoubleDouble:
    """a (c1 + a (c2 + ...)). Coefficients from the third on may be rounded: `a` is so small that it does not show."""
    total: DoubleDouble = DoubleDouble.of(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * a + coefficient
    return total * a


_EXP_SERIES = (1.0, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040)
_LOG1P_SERIES = tuple((-1.0) ** (n + 1) / n for n in range(1, 10))


def _exp(a: DoubleDouble) -> DoubleDouble:
    """exp(a) = 2**k (exp(r / 512))**512 with a = k log 2 + r; kept as exp - 1 while squaring, so that nothing cancels."""
    clipped = np.clip(a.high, -746.0, 710.0)
    exponent = np.rint(clipped / _LN2[0])
    rest = DoubleDouble(clipped, np.where(clipped == a.high, a.low, 0.0)) - DoubleDouble.of(exponent) * _ln2()
    less_one = _series(_ldexp(rest, -_EXP_HALVINGS), _EXP_SERIES)
    for _ in range(_EXP_HALVINGS):
        less_one = less_one * 2.0 + less_one * less_one
    # In two steps, because 2**1024 and 2**-1075 are no numbers while the result may be one.
    half = (exponent / 2).astype(np.int32)
    return _ldexp(_ldexp(less_one + 1.0, half), exponent.astype(np.int32) - half)


def _ln2() -> DoubleDouble:
    return DoubleDouble(np.array(_LN2[0]), np.array(_LN2[1]))


def _log1p(a: DoubleDouble) -> DoubleDouble:
    """log(1 + a) for a >= 0: a step of Newton from the float64 value; the series where 1 + a would lose the digits of a."""
    first = np.log1p(a.high)
    newton = (a + 1.0) * _exp(DoubleDouble.of(-first)) - 1.0 + first
    series = _series(DoubleDouble(np.minimum(a.high, _LOG1P_SERIES_BELOW), a.low), _LOG1P_SERIES)
    small = a.high < _LOG1P_SERIES_BELOW
    return DoubleDouble(np.where(small, series.high, newton.high), np.where(small, series.low, newton.low))


_UFUNCS: dict[np.ufunc, Callable[..., DoubleDouble]] = {
    np.add: DoubleDouble.__add__,
    np.subtract: DoubleDouble.__sub__,
    np.multiply: DoubleDouble.__mul__,
    np.true_divide: DoubleDouble.__truediv__,
    np.negative: DoubleDouble.__neg__,
    np.exp: _exp,
    np.log1p: _log1p,
}
