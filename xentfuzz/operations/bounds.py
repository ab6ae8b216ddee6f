"""How far a correct implementation may be from the exact result: rounding error bounds, derived step by step.

Notation. u: unit roundoff of the dtype in which a result is returned; us: of the first argument's dtype (storage between operations);
ua: of the arithmetic that an implementation is obliged to use (float32 for 16- and 32-bit inputs, float64 for float64). For a row x with
C classes: m = max x, d_c = m - x_c, s = sum exp(-d_c) in [1, C], lse = m + log s, l_c = d_c + log s, p_c = exp(-l_c). q_c: coefficients
of the loss, |q_c| <= Q_c = |w_c| ((1-a)|t_c| + a/C): signed probability targets cancel in q_c, the roundings on the way to it do not.
A = sum Q_c, L = sum Q_c l_c, S = sum q_c; W: the denominator of the mean, kappa = sum |w_y| / |W|. An implementation holds a itself in
its arithmetic format; what that loses of 1 - a beyond one rounding is in Q_c too (`Smoothing.growth`).

(1) Exponent. fl(x_c - m) has relative error ua; scaling by log2(e) for an exp2 adds two more: K_D = 3 roundings of d_c. exp itself:
    K_E = 4 (NumPy's, CUDA's and libm's stay within 2.5 units in the last place; `ex2.approx`, 2 + 1.2 |d| units, is inside K_D).
    Weighted with p, relative to s: ua (K_D D + K_E), D = sum p_c d_c <= log C.
(2) Summation in any order. Adding b to a errs by at most min(ua (a + b), a, b), because rounding to nearest can always keep the larger
    operand. Hence `additions`, the roundings of the total: min(n - 1, sum_c min(1, p_c / ua) + log2 n); only terms of at least ua s cost
    a full one. In blocks (16 lanes): at most n / 16 + 16. Pairwise: at most log2 n + 16.
(3) Online rescaling multiplies element c by one more exp for every later record maximum; the exponents telescope to d_c, the errors of
    exp do not: (K_E + 1) R, R = sum p_c * (record maxima after c). Together eps_s = ua (K_D D + K_E + additions + (K_E + 1) R), the
    relative error of s; log s errs by -log1p(-eps_s) + K_L ua log s. Not linearised: eps_s reaches 1e-2 for long sequential sums.
(4) l_c as (x_c - m) - log s: 2 ua l_c, inside (5). As (m + log s) - x_c: ua (|m| + log s) more, absolute, the cancellation of lse with
    x_c; with logits and maximum scaled by log2(e) before they are subtracted, s is off by ua (|x_c| + |m|), 2 ua |m| for the classes that
    count. Together ua (3 |m| + log s): what the form `lse` admits and `shift` does not. In p_c of (9) the maximum's own part cancels.
(5) Row loss sum q_c l_c: A E_lse + ua (4 + additions) L, the additions over Q_c l_c, 0 for a single term. The form `lse` may sum q_c x_c
    and q_c apart: ua ((additions over Q_c |x_c| + 2) sum Q_c |x_c| + (additions over Q_c + 2) A |lse|) more where there are several
    terms. With little smoothing the q_c may be lost beside a q_y that is no more than the others in Q_c |x_c|, and the reverse.
(6) Rounding of the result: u |result| + eta. eta: half the smallest subnormal of the returned dtype, and for arithmetic that flushes
    subnormals to zero the smallest normal number of the arithmetic format for each factor that may be flushed.
(7) Sum over rows: the errors of the rows + ua (additions + 1) sum |loss_i|, the additions over |loss_i|.
(8) Mean: (7) / |W| + |mean| ua (N + 3) kappa. Without weights W is a count, which is an integer and exact: |mean| 3 ua. A count held in
    float32 is wrong from 2**24 rows on; that is not rounding.
(9) Gradient r (p_c S - q_c), r = upstream / W. p_c has the relative error
    P_c = exp(ua (K_E + K_D d_c + 2 + 2 l_c + K_L log s)) / (1 - eps_s) - 1; the form `lse` (p = exp(x - lse)) adds
    ua (2 |m| + log s + |x_c|) in the exponent. The exponent is cut off where p may be off by any factor already: an infinite p is an
    overflow, not a rounding error. With G the additions over Q_c:
    |r| (p_c |S| P_c + ua (G + 3) p_c A + 3 ua (p_c |S| + Q_c)) + |g| (relative error of r) + u |g| + eta.
    Absolute in p and q, so that p_y - 1 near 0 is covered; relative in p_c where p_c is small, so that a wrong tail is seen.
    A kernel that has its gradient ready, rounded, before the upstream gradient comes, rounds once more when it scales it: another
    u |g| + eta |upstream|, only where the upstream gradient is not all ones.
(10) Gradients of probability targets, r (1-a) w_c l_c, and of the weight, sum_i r_i t'_ic l_ic: l_c errs by E_lse + 5 ua l_c, the form
    `lse` 2 ua (|x_c| + |lse|) more; 3 ua for the factors, (N + 4) ua for a sum over N rows.
(11) `staged`: results of single operations are stored in 16 bits. s and log s rounded: A us (1 + log s); log-softmax, products, class
    sum: 5 us L; the batch sum and W in a 16-way cascade: us (16 ceil(log16 N) + 10); p from a rounded log-softmax: us (l_c + 1 + log s) in
    the exponent of P_c, 5 us for the factors; eta for every stored factor, times what multiplies it: of a row loss
    eta sum_c |w_c| |t_c| l_c, each factor 1 at least. Where a stored number leaves the range of float16 (`Rounding.storable`,
    `intermediates.py`) nothing is said. For float32 and float64 staged is lse.
(12) Softmax is p_c: P_c of (9), and u p_c. Its gradient p_c (g_c - G), G = sum p_c g_c: G errs by
    sum p_c P_c |g_c| + ua (additions over p_c |g_c| + 2) sum p_c |g_c|; difference and products by 3 ua p_c (|g_c| + |G|).
    Log-softmax is -l_c: E_lse + 2 ua l_c, one more ua l_c in the form `lse`. Its gradient g_c - p_c H, H = sum g_c:
    p_c |H| P_c + p_c ua (additions over |g_c| + 2) sum |g_c| + ua (|g_c| + p_c |H|).
(13) The negative log likelihood of given log-probabilities, -w_y x_y, has one rounding of the product before those of (6) to (8).
(14) `fast-math`: exp, log and quotients as devices approximate them and as vector libraries under -ffast-math do. A unit in the last place
    is up to 2 ua relative; documented errors in units: CUDA's `__expf` 2 + floor(1.173 |x|), `ex2.approx` 2, Vulkan's exp 3 + 2 |x|,
    libmvec's and SVML's 4; `__logf` 2**-21.41 absolute (6.02 ua) for arguments from 1/2 to 2 and 3 elsewhere, Vulkan's log 2**-21 (8 ua)
    and 3, libmvec's 4; `__fdividef` 2, Vulkan's quotient 2.5; half a unit more where they are counted from the rounded result.
    Hence K_D = 1 + 4, K_E = 8, K_L = 8, K_0 = 8 ua more in log s whatever its size, and K_Q = 5 instead of 1 for a quotient, of p, of a
    mean and of r. p as exp(x - lse) has exp's part of the exponent in log s, too: K_D - 3 more, and K_0. In float64 the constants are those
    of vector libraries, in units of float64.

The loss near 0 is log1p(sum of the other terms); an implementation that forms s = 1 + ... in ua returns 0 for a loss below ua. Step (3)
is at least ua K_E in absolute terms, so that no relative accuracy is asked for there.

Sources: P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41
(2021); P. Blanchard, N. J. Higham, T. Mary, "A class of fast and accurate summation algorithms", SIAM J. Sci. Comput. 42 (2020);
N. J. Higham, "Accuracy and Stability of Numerical Algorithms", chapter 4 (2002); M. Milakov, N. Gimelshein, "Online normalizer
calculation for softmax" (2018). For (14): CUDA C++ Programming Guide, appendix "Mathematical Functions", tables of intrinsic functions;
Vulkan specification, appendix "Precision and Operation of SPIR-V Instructions"; glibc's notes on libmvec.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log
from typing import Any, NamedTuple, Protocol

import numpy as np

from xentfuzz.dtypes import FORMATS, FloatFormat
from xentfuzz.operations.coefficients import Coefficients
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.row_quantities import RowQuantities, RowSums
from xentfuzz.operations.steps import (
    ASSEMBLING,
    EXPONENT,
    EXPONENTIAL,
    FAST,
    LOGARITHM,
    PRODUCTS,
    REDUCTION,
    RESCALING,
    RESULT,
    STORAGE,
    SUMMATION,
    WORKING,
    Roundings,
)

Array = np.ndarray[Any, Any]


class Logits(Protocol):
    """What the relative error of a softmax depends on, element by element: x and d = m - x, (rows, classes)."""

    @property
    def x(self) -> Array:
        """The logits."""

    @property
    def d(self) -> Array:
        """Their distance from the row's maximum."""


# Where rounding errors of the exponent exceed this, p may be off by any factor, but an infinite p is an overflow and no rounding error.
_LARGEST_EXPONENT = 60.0


@dataclass(frozen=True)
class Rounding:
    """The grade of an implementation and the formats in which it stores, computes and returns."""

    grade: Grade
    storage: FloatFormat
    returned: FloatFormat
    arithmetic: FloatFormat

    @property
    def u(self) -> float:
        return 0.0 if self.grade.without == RESULT else self.returned.unit_roundoff

    @property
    def us(self) -> float:
        return 0.0 if self.grade.without == STORAGE else self.storage.unit_roundoff

    @property
    def ua(self) -> float:
        return self.arithmetic.unit_roundoff

    def of(self, step: str) -> float:
        """ua as the unit of one step; 0 for the step that the bound leaves out."""
        return 0.0 if self.grade.without == step else self.ua

    @property
    def roundings(self) -> Roundings:
        return FAST if self.grade.form == "fast-math" else WORKING

    @property
    def staged(self) -> bool:
        return self.grade.form == "staged" and self.storage.bits == 16

    @property
    def lse(self) -> bool:
        """Whether the algebraic form may add the row's maximum back before it subtracts."""
        return self.grade.form != "shift"

    @property
    def half_subnormal(self) -> float:
        """The largest rounding error of a result in the subnormal range."""
        return self.returned.smallest_subnormal / 2

    @property
    def flushed(self) -> float:
        """The largest error of an intermediate that is below the smallest normal number of the format that it is held in.

        Two roundings there for 16-bit storage: exp(x - m) and its quotient by s.
        """
        return self.arithmetic.smallest_normal + (self.storage.smallest_subnormal if self.staged else 0.0)

    @property
    def storable(self) -> float:
        """Step (11): intermediates up to this one can be stored; infinite where they need not be stored."""
        return self.storage.max * (1 - self.storage.unit_roundoff) if self.staged else float("inf")


def rounding(grade: Grade, storage: str, returned: str) -> Rounding:
    """For an operation on `storage` arrays whose result comes back in `returned` (dtype names)."""
    return Rounding(grade, FORMATS[storage], FORMATS[returned], FORMATS[FORMATS[storage].arithmetic])


def additions(by: Rounding, count: Any, shares: Any) -> Any:
    """Step (2): roundings of the total for a sum of `count` terms whose sum of min(1, term / (ua total)) is `shares`."""
    count = np.maximum(count, 1)
    any_order = np.minimum(count - 1, shares + np.log2(count))
    if by.grade.summation == "blocked":
        return np.minimum(any_order, count / 16 + 16)
    if by.grade.summation == "pairwise":
        return np.minimum(any_order, np.log2(count) + 16)
    return any_order


def shares(terms: Array, total: Array, ua: float) -> Array:
    """sum min(1, term / (ua total)) along the last axis, for terms >= 0; 0 where the total is 0."""
    # A subnormal total times ua would be 0.
    scale = np.maximum(ua * total, np.finfo(np.float64).smallest_normal)
    counted: Array = np.minimum(terms / scale[..., np.newaxis], 1.0).sum(axis=-1)
    return counted


def relative_error_of_sum(by: Rounding, rows: RowSums, classes: int) -> Array:
    """Step (3): eps_s, (rows,). Never more than what takes s in [1, C] below 1/2."""
    k, count = by.roundings, additions(by, classes, rows.shares)
    error = (by.of(EXPONENT) * k.exponent) * rows.spread + by.of(SUMMATION) * count + by.of(EXPONENTIAL) * k.exponential
    error = error + (by.of(RESCALING) * (k.exponential + 1)) * rows.rescalings
    limited: Array = np.minimum(error, 1 - 0.5 / classes)
    return limited


def error_of_lse(by: Rounding, rows: RowSums, eps_s: Array) -> Array:
    """Steps (3), (4), (11), (14): absolute error of log s and of what the algebraic form adds to it, (rows,)."""
    k, of_log = by.roundings, by.of(LOGARITHM)
    error: Array = (of_log * k.logarithm) * rows.log_sum - np.log1p(-eps_s) + of_log * k.absolute
    if by.lse:
        error += by.of(ASSEMBLING) * rows.log_sum + (3 * by.of(ASSEMBLING)) * np.abs(rows.max)
    if by.staged:
        error += by.us * (1 + rows.log_sum)
    return error


def relative_error_of_softmax(by: Rounding, block: Logits, rows: RowSums, eps_s: Array) -> Array:
    """Step (9): P_c, (rows, classes)."""
    k, of_log, of_form = by.roundings, by.of(LOGARITHM), by.of(ASSEMBLING)
    # K_D d + 2 l = (K_D + 2) d + 2 log s: one product of the whole block.
    exponent = (by.of(EXPONENT) * k.exponent + 2 * of_form + (by.us if by.staged else 0.0)) * block.d
    of_any = by.of(EXPONENTIAL) * k.exponential + by.of(PRODUCTS) * (k.quotient + 1) + of_log * k.absolute
    of_row = (of_log * k.logarithm + 2 * of_form + by.of(EXPONENT) * (k.exponent - WORKING.exponent)) * rows.log_sum + of_any
    if by.lse:
        exponent += of_form * np.abs(block.x)
        of_row += of_form * rows.log_sum + (2 * of_form) * np.abs(rows.max)
    if by.staged:
        of_row += by.us * (1 + 2 * rows.log_sum)
    exponent += of_row[:, np.newaxis]
    grown = np.expm1(np.minimum(exponent, _LARGEST_EXPONENT))
    kept = (1 - eps_s)[:, np.newaxis]
    relative: Array = grown / kept + (1 / kept - 1)
    return relative


class LossTerms(NamedTuple):
    """Of the sums that make up the row losses, (rows,) float64. absolute: A = sum Q_c; size: L = sum Q_c l_c; logits: sum Q_c |x_c|.

    terms: how many classes have Q_c != 0; shares...: sum min(1, term / (ua total)) for the terms Q_c l_c, Q_c and Q_c |x_c|.
    """

    absolute: Array
    size: Array
    logits: Array
    terms: Array
    shares: Array
    shares_absolute: Array
    shares_logits: Array

    def part(self, rows: slice) -> LossTerms:
        return LossTerms(*(field[rows] for field in self))


def error_of_row_loss(by: Rounding, rows: RowSums, terms: LossTerms, eps_s: Array) -> Array:
    """Step (5) and, of (11), what concerns one row: before the result is rounded."""
    count = additions(by, terms.terms, terms.shares)
    error: Array = terms.absolute * error_of_lse(by, rows, eps_s) + (2 * by.of(ASSEMBLING) + by.of(PRODUCTS) * (2 + count)) * terms.size
    if by.lse:
        of_logits = (additions(by, terms.terms, terms.shares_logits) + 2) * terms.logits
        of_coefficients = (additions(by, terms.terms, terms.shares_absolute) + 2) * terms.absolute * np.abs(rows.max + rows.log_sum)
        # No product with 0: near the end of float64 they are infinite.
        error += by.of(PRODUCTS) * np.where(terms.terms > 1, of_logits + of_coefficients, 0.0)
    if by.staged:
        error += 5 * by.us * terms.size
    return error + by.flushed * (1 + terms.absolute)


def error_of_gradient(by: Rounding, block: RowQuantities, rows: RowSums, terms: LossTerms, coefficients: Coefficients) -> Array:
    """Step (9) without r and the last roundings, (rows, classes)."""
    eps_s = relative_error_of_sum(by, rows, block.x.shape[1])
    relative = relative_error_of_softmax(by, block, rows, eps_s)
    total = np.abs(coefficients.total)
    count = additions(by, terms.terms, terms.shares_absolute)
    of_p = by.of(PRODUCTS) * ((count + 3) * terms.absolute + 3 * total)
    of_q = 3 * by.of(PRODUCTS)
    if by.staged:
        of_p = of_p + 5 * by.us * terms.absolute
        of_q += 5 * by.us
    relative *= block.p
    relative *= total[:, np.newaxis]
    relative += block.p * of_p[:, np.newaxis]
    relative += of_q * coefficients.magnitude
    relative += by.flushed * (total + terms.absolute)[:, np.newaxis]
    return relative


def cascade(count: float) -> float:
    """Step (11): roundings of a sum of `count` stored terms in a 16-way cascade."""
    return 16 * ceil(log(max(count, 1)) / log(16)) + 10


def relative_error_of_denominator(by: Rounding, count: float, kappa: float, *, weighted: bool) -> float:
    """Step (8): relative error of 1 / W and of the division by it; infinite where W may come out as 0."""
    of_quotient = 2 + by.roundings.quotient
    if not weighted:
        return of_quotient * by.of(REDUCTION)
    error = (count + of_quotient) * by.of(REDUCTION) * kappa
    if by.staged:
        error += (cascade(count) + 3) * by.us * kappa
    return error / (1 - error) if error < 1 else float("inf")
