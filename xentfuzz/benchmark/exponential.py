"""How many exponentials a second this processor can sum: a bare vectorised loop of sum(exp(x - m)) in first-level cache, on all threads.

exp(y) = 2^k 2^f with k = trunc(y log2(e)), f in (-1, 0] and a polynomial for 2^f, fitted at Chebyshev's nodes, whose error is about a unit
of roundoff. Conversion, polynomial and exponent are plain vector instructions; the sum may be taken in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from xentfuzz.benchmark.bandwidth import fastest_seconds

LOG2_E = 1.4426950408889634
# Half of the usual first-level cache.
CACHE_BYTES = 16 << 10
# About ten milliseconds of work.
REPEATS = 5000
# dtype of the arithmetic -> degree of the polynomial. 16-bit logits are widened.
DEGREES = {"float32": 5, "float64": 11}


def measure_exponentials(dtype: str, threads: int) -> float | None:
    """Elements a second, in the dtype that arithmetic on `dtype` is done in; None without Numba, which compiles the loop."""
    name = "float64" if dtype == "float64" else "float32"
    try:
        loop = _compiled(name)
    except ImportError:
        return None
    logits = [np.linspace(-20, 0, CACHE_BYTES // np.dtype(name).itemsize).astype(name) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        seconds = fastest_seconds(lambda: list(pool.map(lambda each: loop(each, REPEATS), logits)))
    return threads * logits[0].size * REPEATS / seconds


def power_of_two_coefficients(degree: int) -> tuple[float, ...]:
    """Of a polynomial for 2^f on [-1, 0], lowest power first."""
    fitted = chebyshev.Chebyshev.interpolate(np.exp2, degree, domain=[-1, 0])
    return tuple(fitted.convert(kind=np.polynomial.Polynomial).coef)


@cache
def _compiled(name: str) -> Callable[[Any, int], Any]:
    """Raises ImportError without Numba."""
    import numba  # noqa: PLC0415 - an extra

    number: Any
    whole: Any
    number, whole = (np.float32, np.int32) if name == "float32" else (np.float64, np.int64)
    bias, shift = (127, 23) if name == "float32" else (1023, 52)
    coefficients = tuple(number(each) for each in power_of_two_coefficients(DEGREES[name]))
    log2_e, step = number(LOG2_E), number(2.0**-20)

    # reassoc: a sum in the order of its elements can't be vectorised. nogil: every thread runs the loop.
    @numba.njit(fastmath={"reassoc", "nsz", "contract"}, nogil=True)
    def loop(logits: Any, repeats: int) -> Any:
        total, largest = number(0), number(0)
        for _ in range(repeats):
            # Another number every time, or the sums could be taken out of the loop.
            largest += step
            for i in range(logits.size):
                exponent = (logits[i] - largest) * log2_e
                k = np.int32(exponent)
                fraction = exponent - number(k)
                power = number(0)
                for coefficient in numba.literal_unroll(coefficients[::-1]):
                    power = power * fraction + coefficient
                total += power * whole((whole(k) + whole(bias)) << whole(shift)).view(number)
        return total

    return loop
