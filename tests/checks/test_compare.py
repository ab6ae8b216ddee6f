"""The comparison is shown wrong results of every sort and must see each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from xentfuzz.checks.compare import compare, first_laxer_grade_met, ulp
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import ANYTHING, NAN, NEGATIVE_INFINITY, NUMBER, POSITIVE_INFINITY, ZERO, Block
from xentfuzz.operations.grades import Grade, parse_grade

LSE = parse_grade("lse/any")


@dataclass
class Fixed:
    """An evaluation of one output with given expectations; laxer grades allow ten times the error."""

    exact: Any
    allowed: Any
    outcomes: Any = None
    policy: Any = None
    nan_rows: Any = None
    case: Case = None  # type: ignore[assignment]

    def outputs(self) -> tuple[str, ...]:
        return ("value",)

    def shape(self, _output: str) -> tuple[int, ...]:
        return np.shape(self.exact)

    def blocks(self, _output: str, grade: Grade, _dtype: str) -> Iterator[Block]:
        factor = 10.0 if grade.form == "staged" else 1.0
        yield Block(
            lambda array: array,
            lambda index: index,
            np.asarray(self.exact, dtype=np.float64),
            np.asarray(self.allowed, dtype=np.float64) * factor,
            None if self.outcomes is None else np.asarray(self.outcomes, np.uint8),
            None if self.policy is None else np.asarray(self.policy, np.uint8),
            None if self.nan_rows is None else np.asarray(self.nan_rows),
        )


def compared(got: Any, expected: Fixed):
    return compare(np.asarray(got, np.float64), expected, "value", LSE, "float32")


def test_the_ratio_is_error_over_allowed_error() -> None:
    comparison = compared([1.0, 2.5], Fixed([1.0, 2.0], [1.0, 1.0]))
    assert comparison.ok
    assert comparison.ratio == 0.5
    assert comparison.ulp == 0.5 / ulp(2.0, "float32")


@pytest.mark.parametrize("got", [3.1, np.nan, np.inf, -np.inf])
def test_a_number_outside_its_bound_is_a_mismatch(got: float) -> None:
    comparison = compared([1.0, got], Fixed([1.0, 2.0], [1.0, 1.0]))
    assert comparison.wrong == 1
    assert comparison.total == 2
    assert comparison.worst.index == (1,)
    assert not comparison.worst.special
    assert comparison.ratio > 1


def test_zero_allowed_error_takes_the_exact_value_only() -> None:
    assert compared([0.0], Fixed([0.0], [0.0])).ok
    assert compared([-0.0], Fixed([0.0], [0.0])).ok
    assert not compared([1e-300], Fixed([0.0], [0.0])).ok


@pytest.mark.parametrize(
    ("outcome", "taken", "refused"),
    [
        (NAN, [np.nan], [0.0, 1.0, np.inf]),
        (POSITIVE_INFINITY, [np.inf], [-np.inf, np.nan, 1.0]),
        (NEGATIVE_INFINITY, [-np.inf], [np.inf, np.nan]),
        (ZERO, [0.0, -0.0], [1e-30, np.nan]),
        (NAN | ZERO, [np.nan, 0.0], [1.0]),
        (ANYTHING, [np.nan, 5.0, np.inf], []),
        (NUMBER | NAN, [2.0, 2.5, np.nan], [4.0, np.inf]),
    ],
)
def test_outcome_sets_take_their_members_only(outcome: int, taken: list[float], refused: list[float]) -> None:
    for got in taken:
        assert compared([got], Fixed([2.0], [1.0], [outcome])).ok, got
    for got in refused:
        comparison = compared([got], Fixed([2.0], [1.0], [outcome]))
        assert not comparison.ok, got
        assert comparison.worst.special


def test_an_infinite_exact_value_is_met_by_that_infinity_only() -> None:
    expected = Fixed([np.inf], [0.0])
    assert compared([np.inf], expected).ok
    for got in (-np.inf, np.nan, 3e38):
        assert not compared([got], expected).ok
        assert compared([got], expected).worst.special


def test_a_row_that_must_hold_a_nan_is_missed_without_one() -> None:
    expected = Fixed([[0.0, 0.0], [1.0, 1.0]], np.zeros((2, 2)), [[ANYTHING, ANYTHING], [NUMBER, NUMBER]], nan_rows=[True, False])
    assert compared([[np.nan, 3.0], [1.0, 1.0]], expected).ok
    assert not compared([[2.0, 3.0], [1.0, 1.0]], expected).ok
    assert "NaN somewhere" in compared([[2.0, 3.0], [1.0, 1.0]], expected).worst.wanted


def test_numbers_are_shown_before_special_values_and_the_worst_first() -> None:
    comparison = compared([5.0, 9.0, 1.0], Fixed([0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [NUMBER, NUMBER, NAN]))
    assert comparison.wrong == 3
    assert comparison.worst.index == (1,)


def test_policies_name_the_outcome_that_was_chosen() -> None:
    expected = Fixed([0.0, 1.0], [0.0, 1.0], [NAN | ZERO, NUMBER], policy=[2, 0])
    assert compared([np.nan, 1.0], expected).policies == {(1, "NaN")}
    assert compared([0.0, 1.0], expected).policies == {(1, "0")}


def test_the_first_laxer_grade_that_is_met_is_found() -> None:
    expected = Fixed([1.0], [1.0])
    got = np.asarray([6.0])
    assert str(first_laxer_grade_met(got, expected, "value", LSE, "float32")) == "staged/any"
    assert first_laxer_grade_met(np.asarray([60.0]), expected, "value", LSE, "float32") is None


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", [0.0, 1.0, 1.5, 3.0, 1e-4, 6e-8])
def test_ulp_is_numpys_spacing(name: str, value: float) -> None:
    rounded = np.dtype(name).type(value)
    assert ulp(float(rounded), name) == float(np.spacing(rounded))


def test_an_empty_output_compares_nothing() -> None:
    comparison = compared(np.zeros(0), Fixed(np.zeros(0), np.zeros(0)))
    assert comparison.ok
    assert comparison.total == 0
