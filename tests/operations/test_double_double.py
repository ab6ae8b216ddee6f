"""Double-double arithmetic has about 104 bits, and gives exact results as good as long double."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from xentfuzz.operations.double_double import DoubleDouble

Array = np.ndarray[Any, Any]

EXACT = 2.0**-75  # far below the 2**-64 of long double


def values(low: float, high: float) -> Array:
    random = np.random.default_rng(0)
    return random.choice([-1.0, 1.0], 200) * 2.0 ** random.uniform(low, high, 200)


def as_mpf(pair: DoubleDouble) -> list[Any]:
    return [mpmath.mpf(float(high)) + mpmath.mpf(float(low)) for high, low in zip(pair.high.reshape(-1), pair.low.reshape(-1), strict=True)]


def worst(got: DoubleDouble, exact: list[Any]) -> float:
    return max((float(abs(a / b - 1)) if b else float(abs(a))) for a, b in zip(as_mpf(got), exact, strict=True))


@pytest.fixture(autouse=True)
def _precision() -> Any:
    with mpmath.workprec(300):
        yield


@pytest.mark.parametrize(
    ("operation", "exact"),
    [
        (lambda a, b: a + b, lambda a, b: a + b),
        (lambda a, b: a - b, lambda a, b: a - b),
        (lambda a, b: a * b, lambda a, b: a * b),
        (lambda a, b: a / b, lambda a, b: a / b),
    ],
    ids=["add", "subtract", "multiply", "divide"],
)
def test_arithmetic(operation: Callable[..., Any], exact: Callable[..., Any]) -> None:
    left = DoubleDouble.of(values(-20, 20)) / 3.0
    right = DoubleDouble.of(values(-20, 20)[::-1].copy()) / 7.0
    expected = [exact(a, b) for a, b in zip(as_mpf(left), as_mpf(right), strict=True)]
    assert worst(operation(left, right), expected) < 2.0**-95


def test_mixed_operands_keep_their_side() -> None:
    three = DoubleDouble.of(np.array([3.0]))
    one = np.array([1.0])
    assert ((one - three).high[0], (three - one).high[0], (one / DoubleDouble.of(np.array([4.0]))).high[0]) == (-2.0, 2.0, 0.25)
    assert isinstance(np.negative(three) * np.float64(2.0), DoubleDouble)


@pytest.mark.parametrize("scale", [(-40.0, -3.0), (-3.0, 3.0), (3.0, 9.0)], ids=["small", "middle", "large"])
def test_exp(scale: tuple[float, float]) -> None:
    x = -np.abs(values(*scale))
    x = x[x > -600]
    assert worst(np.exp(DoubleDouble.of(x)), [mpmath.exp(float(value)) for value in x]) < EXACT


def test_exp_reaches_the_ends_of_the_range() -> None:
    with np.errstate(all="ignore"):
        high = np.exp(DoubleDouble.of(np.array([-np.inf, -800.0, -744.0, 0.0, 709.7, 720.0]))).high
    assert high.tolist() == [0.0, 0.0, float(mpmath.exp(-744)), 1.0, pytest.approx(float(mpmath.exp(709.7)), rel=1e-15), np.inf]


def test_log1p_of_numbers_that_are_not_negative() -> None:
    x = np.concatenate([[0.0], np.abs(values(-60, -2)), np.abs(values(-2, 20))])
    assert worst(np.log1p(DoubleDouble.of(x)), [mpmath.log1p(float(value)) for value in x]) < EXACT


@pytest.mark.parametrize("length", [0, 1, 2, 7, 100])
def test_sums_along_each_axis(length: int) -> None:
    terms = DoubleDouble.of(np.resize(values(-5, 5), (3, length))) / 3.0
    rows = [sum(as_mpf(row), mpmath.mpf(0)) for row in (terms[0], terms[1], terms[2])]
    assert all(abs(a - b) < EXACT * 1e3 for a, b in zip(as_mpf(terms.sum(axis=1)), rows, strict=True))
    assert terms.sum(axis=0).shape == (length,)
    assert abs(as_mpf(terms.sum().reshape(1))[0] - sum(rows)) < EXACT * 1e3


def test_overflow_gives_infinities_and_no_nan() -> None:
    large = DoubleDouble.of(np.array([1.5e308]))
    with np.errstate(all="ignore"):
        assert (large + large).high.tolist() == [np.inf]
        assert (large * large).high.tolist() == [np.inf]
        assert ((large * 2.0) / 2.0).high.tolist() == [np.inf]
        assert (large / DoubleDouble.of(np.array([0.5]))).high.tolist() == [np.inf]


def test_an_operation_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TypeError):
        np.sqrt(DoubleDouble.of(np.array([2.0])))
