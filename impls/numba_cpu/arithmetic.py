"""Exponential, logarithm and sums, with every operation and its order written out.

    exponential         exp(x - shift), as a factor in [0.7, 1.5) and a power of two
    logarithm           of a float64
    add                 a sum in float64 with its rounding errors carried along

exp(y) = 2^k 2^f with k = y log2(e) rounded to an integer and |f| <= 1/2; 2^f is a minimax polynomial. Adding a constant whose last place
is 1 rounds to an integer and leaves k in the lowest bits; two additions that no compiler may reassociate. Arguments below -87.6 (-709)
give exactly 0, which is within a smallest normal number; NaN gives NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba.extending import overload

from xentfuzz.impls.numba_cpu.compiling import inline, part
from xentfuzz.impls.numba_cpu.vectors import (
    FLOAT32,
    exponents,
    first_lane,
    fma,
    fractions,
    maximum,
    nan_unless_positive,
    power_from_low_bits,
    splat,
    splatted_float64,
)

LOG2_E = 1 / math.log(2)
LOG2_E_32 = np.float32(LOG2_E)
# 1.5 * 2^(fraction bits) has a last place of 1; the bias of the exponent is added beforehand.
ROUND_32, ROUND_64 = np.float32(1.5 * 2**23 + 127), 1.5 * 2**52 + 1023
LOWEST_32, LOWEST_64 = np.float32(-88.0), -709.0

# 2^f = 1 + f (A1 + f (A2 + ...)), |f| <= 1/2, least relative error: 1.8 units of roundoff in float32 with coefficients rounded.
# One degree more takes 0.3 units and 10 % more time.
A1, A2, A3, A4, A5 = (
    np.float32(value)
    for value in (0.6931470036506653, 0.24022242426872253, 0.05550733581185341, 0.009671512991189957, 0.001326472731307149)
)
# For float64, Taylor's: (ln 2)^n / n!, up to n = 12.
B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12 = (math.log(2) ** n / math.factorial(n) for n in range(1, 13))


@inline
def exponential_parts_32(y: Any) -> Any:
    t = fma(y, LOG2_E_32, ROUND_32)
    f = fma(y, LOG2_E_32, ROUND_32 - t)
    p = fma(splat(f, A5), f, A4)
    p = fma(p, f, A3)
    p = fma(p, f, A2)
    p = fma(p, f, A1)
    return fma(p, f, np.float32(1.0)), power_from_low_bits(t)


@inline
def exponential_parts_64(y: Any) -> Any:
    t = fma(y, LOG2_E, ROUND_64)
    f = fma(y, LOG2_E, ROUND_64 - t)
    p = fma(splat(f, B12), f, B11)
    p = fma(p, f, B10)
    p = fma(p, f, B9)
    p = fma(p, f, B8)
    p = fma(p, f, B7)
    p = fma(p, f, B6)
    p = fma(p, f, B5)
    p = fma(p, f, B4)
    p = fma(p, f, B3)
    p = fma(p, f, B2)
    p = fma(p, f, B1)
    return fma(p, f, 1.0), power_from_low_bits(t)


def exponential(x: Any, shift: Any) -> Any:  # noqa: ARG001 - its body is below
    """exp(x - shift) for lanes x <= shift, as two factors: a sum of such products takes one instruction for both."""
    raise TypeError("exponential: called from Python, which has no vectors; kernels alone call it")


@overload(exponential, jit_options={"forceinline": True})
def _exponential(x: Any, shift: Any) -> Any:  # noqa: ARG001 - arguments are types here
    def single(x: Any, shift: Any) -> Any:
        return exponential_parts_32(maximum(LOWEST_32, x - shift))

    def double(x: Any, shift: Any) -> Any:
        return exponential_parts_64(maximum(LOWEST_64, x - shift))

    return single if x == FLOAT32 else double


@part
def exponential_of(y: float) -> Any:
    """exp(y) of one float64 y <= 0."""
    if y == -np.inf:
        return 0.0
    p, power = exponential_parts_64(maximum(LOWEST_64, splatted_float64(y)))
    return first_lane(p * power)


LN2_HIGH = round(math.log(2.0) * 2.0**40) * 2.0**-40  # its product with an exponent is exact
LN2_LOW = (math.log(2.0) - LN2_HIGH) + 2.3190468138462996e-17  # by which ln 2 exceeds its float64
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
FRACTION = 0x000FFFFFFFFFFFFF


@part
def logarithm(x: float) -> Any:
    """log(x) of a float64: x = 2^k (1 + f), 1 + f in [sqrt(1/2), sqrt(2)), z = f / (2 + f), log(1 + f) = 2 artanh(z).

    Written as f - z (f - R), R = 2 z^2 / 3 + 2 z^4 / 5 + ..., whose first term is exact. -inf for 0, NaN for NaN and +inf.
    """
    if not 0.0 < x < np.inf:
        return -np.inf if x == 0.0 else np.nan
    bits = np.int64(np.float64(x).view(np.int64) - SQRT_HALF_BITS)
    k = np.float64(bits >> 52)
    f = np.int64((bits & FRACTION) + SQRT_HALF_BITS).view(np.float64) - 1.0
    return logarithm_from_parts(k, f)


@part
def logarithms(x: Any) -> Any:
    """The same of float64 lanes, with the same bits; NaN for 0 too."""
    k, f = exponents(x, SQRT_HALF_BITS), fractions(x, SQRT_HALF_BITS) - 1.0
    return nan_unless_positive(logarithm_from_parts(k, f), x)


@inline
def logarithm_from_parts(k: Any, f: Any) -> Any:
    """log(2^k (1 + f)), of a number or of lanes."""
    z = f / (f + 2.0)
    w = z * z
    r = w * (2 / 21) + 2 / 19
    r = r * w + 2 / 17
    r = r * w + 2 / 15
    r = r * w + 2 / 13
    r = r * w + 2 / 11
    r = r * w + 2 / 9
    r = r * w + 2 / 7
    r = r * w + 2 / 5
    r = r * w + 2 / 3
    return k * LN2_HIGH + (f - (z * (f - r * w) - k * LN2_LOW))


@inline
def add(total: float, lost: float, term: float) -> Any:
    """total + term, and what its rounding lost added to `lost` (Knuth's two-sum)."""
    result = total + term
    shadow = result - total
    return result, lost + ((total - (result - shadow)) + (term - shadow))


@inline
def settled(total: float, lost: float) -> Any:
    """A sum with what its roundings lost; an infinite one has lost NaN."""
    return total + lost if np.isfinite(total) else total
