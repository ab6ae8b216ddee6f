"""Conditions mean what a person reads in them."""

from __future__ import annotations

import pytest

from xentfuzz.errors import UsageError
from xentfuzz.failures.conditions import parse_condition


@pytest.mark.parametrize(
    ("written", "met", "unmet"),
    [
        (">0", [0.1, 1], [0, 0.0, -1, None, "mean"]),
        (" > 1e-3 ", [0.1], [1e-3]),
        (">=2, <8", [2, 7], [1, 8]),
        ("%8=1", [1, 9, 513], [8, 0, "mean", 1.5]),
        (">=9, % 2 == 1", [9, 11], [7, 10]),
        ("!=mean", ["sum", "none"], ["mean"]),
        ("== mean", ["mean"], ["sum"]),
        ("!=-100", [0, 5], [-100]),
        ("mean", ["mean"], ["sum", True]),
        (3, [3, 3.0], [4, "3"]),
        (1, [1], [True]),
        (True, [True], [1, False]),
        (["mean", "sum"], ["mean", "sum"], ["none"]),
        ([">4", 1], [1, 5], [2, 4]),
        ("sliced", [("fortran", "sliced"), "sliced"], [("fortran",), ()]),
    ],
)
def test_a_condition_is_met_by_what_it_says(written, met, unmet):
    condition = parse_condition(written)
    assert [condition(value) for value in met] == [True] * len(met)
    assert [condition(value) for value in unmet] == [False] * len(unmet)


@pytest.mark.parametrize("written", [">", "> x", ">=2 <8", "<mean", "=>2", "!", "%8", "%0=1"])
def test_a_condition_that_makes_no_sense_is_refused(written):
    with pytest.raises(UsageError, match="condition"):
        parse_condition(written)
