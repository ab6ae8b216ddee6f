"""The rank test of Mann and Whitney (Annals of Mathematical Statistics 18, 1947): whether one of two samples tends to be the larger.

It asks nothing of the distribution of times, which have a long tail on one side. Its samples must be independent: rounds that come one
after the other are not, so what is ranked is one number for each turn.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cache

# Up to this many in each sample, every order is counted; beyond it, the normal distribution is as good.
EXACT_SIZE = 20


def rank_test(first: Sequence[float], second: Sequence[float]) -> float:
    """The two-sided p-value: how probable an order this uneven is where both samples come from one distribution. 1 where one is empty."""
    if not first or not second:
        return 1.0
    # How often a number of the first sample is above one of the second; ties count half.
    above = sum((x > y) + (x == y) / 2 for x in first for y in second)
    lower = min(above, len(first) * len(second) - above)
    tied = len({*first, *second}) < len(first) + len(second)
    if not tied and max(len(first), len(second)) <= EXACT_SIZE:
        return min(1.0, 2 * _exact_tail(int(lower), len(first), len(second)))
    return _normal_tail(lower, first, second)


def _exact_tail(statistic: int, n: int, m: int) -> float:
    return sum(_orders(value, n, m) for value in range(statistic + 1)) / math.comb(n + m, n)


@cache
def _orders(statistic: int, n: int, m: int) -> int:
    """How many orders of n and m numbers have the statistic: the largest number belongs to one sample or to the other."""
    if statistic < 0:
        return 0
    if n == 0 or m == 0:
        return int(statistic == 0)
    return _orders(statistic - m, n - 1, m) + _orders(statistic, n, m - 1)


def _normal_tail(lower: float, first: Sequence[float], second: Sequence[float]) -> float:
    """With the corrections for ties and for continuity."""
    n, m = len(first), len(second)
    total = n + m
    ties = sum(count**3 - count for count in Counter([*first, *second]).values())
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    distance = max(0.0, n * m / 2 - lower - 0.5)
    return min(1.0, math.erfc(distance / math.sqrt(2 * variance)))
