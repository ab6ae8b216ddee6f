"""exp, log and quotients of devices and vector libraries at their documented worst: as far off as allowed, in the direction that hurts.

Units are counted from the rounded result, as CUDA's guide counts them. Signs: a function of the argument that gives +1 or -1 for each
element.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Signs = Callable[[Array], Array]


@dataclass(frozen=True)
class Documented:
    """exp: units in the last place, and units for each |x|. log, log2: absolute error for arguments from 1/2 to 2, and units elsewhere."""

    name: str
    exp: float
    exp_for_each: float
    exp2: float
    log: tuple[float, float]
    log2: tuple[float, float]
    quotient: float


# Of the CUDA C++ Programming Guide's tables of intrinsic functions; of the Vulkan specification's table of precisions.
CUDA = Documented("CUDA", exp=2, exp_for_each=1.173, exp2=2, log=(2**-21.41, 3), log2=(2**-22, 2), quotient=2)
VULKAN = Documented("Vulkan", exp=3, exp_for_each=2, exp2=3, log=(2**-21, 3), log2=(2**-21, 3), quotient=2.5)
# glibc's libmvec and Intel's SVML promise 4 units for everything.
VECTOR = Documented("vector library", exp=4, exp_for_each=0, exp2=4, log=(0.0, 4), log2=(0.0, 4), quotient=0)
DOCUMENTED = (CUDA, VULKAN, VECTOR)


def up(x: Array) -> Array:
    return np.ones_like(x)


def down(x: Array) -> Array:
    return -np.ones_like(x)


def near_up(x: Array) -> Array:
    """The largest terms of a sum of exponentials too large, all others too small: what shifts probability the most."""
    return np.where(np.abs(x) < 1, 1, -1).astype(x.dtype)


def near_down(x: Array) -> Array:
    return -near_up(x)


def alternating(x: Array) -> Array:
    signs = np.ones_like(x)
    signs[..., ::2] = -1
    return signs


SIGNS = (up, down, near_up, near_down, alternating)


@dataclass(frozen=True)
class WorstFunctions:
    """The functions of a documentation, off by all that it allows.

    exact_at_zero: exp(0) is 1, as PTX's table of special values has it and kernels that rescale by it again and again rely on.
    """

    documented: Documented
    of_exp: Signs
    of_log: Signs
    exact_at_zero: bool = False

    def exp(self, x: Array) -> Array:
        units = self.documented.exp + np.floor(self.documented.exp_for_each * np.abs(x.astype(np.float64)))
        return _off(np.exp(x.astype(np.float64)), units * self._signs(x), x.dtype)

    def exp2(self, x: Array) -> Array:
        return _off(np.exp2(x.astype(np.float64)), self.documented.exp2 * self._signs(x), x.dtype)

    def _signs(self, x: Array) -> Array:
        return np.where((x == 0) & self.exact_at_zero, 0, self.of_exp(x))

    def log(self, s: Array) -> Array:
        return self._logarithm(np.log(s.astype(np.float64)), s, *self.documented.log)

    def log2(self, s: Array) -> Array:
        return self._logarithm(np.log2(s.astype(np.float64)), s, *self.documented.log2)

    def _logarithm(self, exact: Array, s: Array, absolute: float, units: float) -> Array:
        near = (exact + absolute * self.of_log(s)).astype(s.dtype)
        far = _off(exact, units * self.of_log(s), s.dtype)
        return np.where((s >= 0.5) & (s <= 2) & (absolute > 0), near, far)

    def quotient(self, a: Array, b: Array) -> Array:
        quotient = np.divide(a.astype(np.float64), b.astype(np.float64))
        return _off(quotient, self.documented.quotient * self.of_log(np.asarray(quotient)), a.dtype)


def _off(exact: Array, units: Array, dtype: Any) -> Array:
    """Exact values, float64, off by so many units in the last place of the rounded value."""
    rounded = exact.astype(dtype)
    moved = rounded.astype(np.float64) + units * np.spacing(np.abs(rounded)).astype(np.float64)
    return np.where(rounded == 0, 0, moved).astype(dtype)
