"""The bounds of a cross-entropy row, mean and gradient, written out element by element from their derivation: slow, and without arrays.

For finite inputs without overflow; the terms for flushed subnormals are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, expm1, fsum, log, log1p, log2
from typing import NamedTuple


class Roundings(NamedTuple):
    """K_D, K_E, K_L, K_0, K_Q: of the exponent, exp, log s, log s near 0, a quotient."""

    D: int
    E: int
    L: int
    zero: int
    Q: int


@dataclass(frozen=True)
class Setting:
    """ua: arithmetic; us: storage of the logits; u: the returned dtype. form, order: the grade."""

    ua: float
    us: float
    u: float
    form: str
    order: str

    @property
    def staged(self) -> bool:
        return self.form == "staged" and self.us > 2.0**-20

    @property
    def k(self) -> Roundings:
        return Roundings(5, 8, 8, 8, 5) if self.form == "fast-math" else Roundings(3, 4, 3, 0, 1)

    @property
    def lse(self) -> bool:
        return self.form != "shift"

    def additions(self, terms: list[float]) -> float:
        """Roundings of the total of a sum of these terms."""
        count = max(len(terms), 1)
        total = fsum(terms)
        shares = fsum(min(1.0, term / (self.ua * total)) for term in terms) if total else 0.0
        order = {"any": float("inf"), "blocked": count / 16 + 16, "pairwise": log2(count) + 16}[self.order]
        return min(count - 1, shares + log2(count), order)


class Row:
    """x: logits; q, Q: coefficients and their magnitudes."""

    def __init__(self, setting: Setting, x: list[float], q: list[float], Q: list[float]) -> None:
        self.by, self.x, self.q, self.Q = setting, x, q, Q
        self.m = max(x)
        self.d = [self.m - value for value in x]
        s = fsum(exp(-value) for value in self.d)
        self.log_s = log(s)
        self.l = [value + self.log_s for value in self.d]
        self.p = [exp(-value) for value in self.l]
        self.A, self.S = fsum(Q), abs(fsum(q))
        self.loss = fsum(a * b for a, b in zip(q, self.l, strict=True))
        self.L = [a * b for a, b in zip(Q, self.l, strict=True) if a]

    def eps_s(self) -> float:
        records = [c for c in range(1, len(self.x)) if self.x[c] > max(self.x[:c])]
        rescalings = fsum(self.p[c] * sum(record > c for record in records) for c in range(len(self.x)))
        spread = fsum(p * d for p, d in zip(self.p, self.d, strict=True))
        k = self.by.k
        return self.by.ua * (k.D * spread + k.E + self.by.additions(self.p) + (k.E + 1) * rescalings)

    def error_of_lse(self) -> float:
        by = self.by
        error = -log1p(-self.eps_s()) + by.ua * (by.k.L * self.log_s + by.k.zero)
        error += by.ua * (3 * abs(self.m) + self.log_s) if by.lse else 0.0
        return error + (by.us * (1 + self.log_s) if by.staged else 0.0)

    def error(self) -> float:
        """Of the row loss, before it is rounded."""
        by, several = self.by, len(self.L) > 1
        error = self.A * self.error_of_lse() + by.ua * (4 + (by.additions(self.L) if several else 0)) * fsum(self.L)
        if by.lse and several:
            logits = [a * abs(b) for a, b in zip(self.Q, self.x, strict=True) if a]
            coefficients = [value for value in self.Q if value]
            error += by.ua * (by.additions(logits) + 2) * fsum(logits)
            error += by.ua * (by.additions(coefficients) + 2) * self.A * abs(self.m + self.log_s)
        return error + (5 * by.us * fsum(self.L) if by.staged else 0.0)

    def relative_error_of_p(self, c: int) -> float:
        by, k = self.by, self.by.k
        exponent = by.ua * (k.E + k.D * self.d[c] + k.Q + 1 + 2 * self.l[c] + k.L * self.log_s + k.zero + (k.D - 3) * self.log_s)
        exponent += by.ua * (2 * abs(self.m) + self.log_s + abs(self.x[c])) if by.lse else 0.0
        exponent += by.us * (self.l[c] + 1 + self.log_s) if by.staged else 0.0
        eps = self.eps_s()
        return (expm1(exponent) + eps) / (1 - eps)

    def error_of_gradient(self, c: int, r: float, relative_of_r: float) -> float:
        """Of r (p_c S - q_c), its own rounding included."""
        by, p, several = self.by, self.p[c], len(self.L) > 1
        additions = by.additions([value for value in self.Q if value]) if several else 0
        error = p * self.S * self.relative_error_of_p(c) + by.ua * (additions + 3) * p * self.A + 3 * by.ua * (p * self.S + self.Q[c])
        error += 5 * by.us * (p * self.A + self.Q[c]) if by.staged else 0.0
        gradient = r * abs(p * fsum(self.q) - self.q[c])
        return r * error + gradient * (relative_of_r + by.u)

    def error_of_log_probability(self, c: int) -> float:
        """Of l_c where it is a factor of a gradient."""
        by = self.by
        error = self.error_of_lse() + (5 * by.ua + (5 * by.us if by.staged else 0.0)) * self.l[c]
        return error + (2 * by.ua * (abs(self.x[c]) + abs(self.m + self.log_s)) if by.lse else 0.0)


def relative_error_of_denominator(by: Setting, weights: list[float], *, weighted: bool) -> float:
    """weights: w_y of the kept rows."""
    if not weighted:
        return (2 + by.k.Q) * by.ua
    count, kappa = len(weights), fsum(map(abs, weights)) / abs(fsum(weights))
    error = (count + 2 + by.k.Q) * by.ua * kappa
    error += (cascade(count) + 3) * by.us * kappa if by.staged else 0.0
    return error / (1 - error)


def cascade(count: int) -> int:
    return 16 * ceil(log(count) / log(16)) + 10


def error_of_mean(by: Setting, rows: list[Row], W: float, relative: float) -> float:
    """Of sum loss_i / W, its own rounding included."""
    losses = [abs(row.loss) for row in rows]
    error = fsum(row.error() for row in rows) + by.ua * (by.additions(losses) + 1) * fsum(losses)
    error += by.us * cascade(len(rows)) * fsum(losses) if by.staged else 0.0
    mean = abs(fsum(row.loss for row in rows) / W)
    return error / abs(W) + mean * (relative + by.u)


def error_of_weight(by: Setting, rows: list[Row], t: list[list[float]], c: int, r: float, relative_of_r: float) -> float:
    """Of sum_i r t_ic l_ic, its own rounding included. t: with label smoothing, without the weight."""
    sizes = fsum(r * abs(t[i][c]) * row.l[c] for i, row in enumerate(rows))
    error = fsum(r * abs(t[i][c]) * row.error_of_log_probability(c) for i, row in enumerate(rows))
    error += ((len(rows) + 4) * by.ua + relative_of_r) * sizes
    error += (cascade(len(rows)) + 5) * by.us * sizes if by.staged else 0.0
    return error + by.u * abs(fsum(r * t[i][c] * row.l[c] for i, row in enumerate(rows)))
