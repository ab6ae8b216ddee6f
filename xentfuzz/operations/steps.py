"""The steps that rounding errors come from, and how many roundings of each the forms of a grade admit: the constants of `bounds.py`."""

from __future__ import annotations

from typing import NamedTuple

EXPONENT = "exponent"
EXPONENTIAL = "exponential"
SUMMATION = "summation"
RESCALING = "rescaling"
LOGARITHM = "logarithm"
ASSEMBLING = "assembling"
PRODUCTS = "products"
REDUCTION = "reduction"
STORAGE = "storage"
RESULT = "result"

# Each step with its words, in the order of the derivation.
STEPS = {
    EXPONENT: "(1) the exponents x - m",
    EXPONENTIAL: "(1) exp",
    SUMMATION: "(2) the sum of the exponentials",
    RESCALING: "(3) the rescaling of that sum",
    LOGARITHM: "(3) log s",
    ASSEMBLING: "(4) log-softmax from x, m and log s",
    PRODUCTS: "(5), (9) products and sums over the classes",
    REDUCTION: "(7) to (9) the sum over rows and the factor of each row",
    STORAGE: "(11) intermediates stored in 16 bits",
    RESULT: "(6) the rounding of the result",
}


class Roundings(NamedTuple):
    """exponent: K_D, of d = m - x. exponential: K_E, of exp. logarithm: K_L, of log s. absolute: K_0, of log s near 0. quotient: K_Q."""

    exponent: int
    exponential: int
    logarithm: int
    absolute: int
    quotient: int


WORKING = Roundings(exponent=3, exponential=4, logarithm=3, absolute=0, quotient=1)
FAST = Roundings(exponent=5, exponential=8, logarithm=8, absolute=8, quotient=5)
