"""A bound that needs no exact result is never below the one that has it, at any grade, and says nothing where anything may come out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import case_of
from random_cases import DTYPES, random_case

from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.derived_cases import is_ordinary, mean_is_defined
from xentfuzz.operations.expectation import NUMBER, Block
from xentfuzz.operations.grades import FORMS, SUMMATIONS, Grade, parse_grade
from xentfuzz.operations.worst_case import bound_of_value, coefficients
from xentfuzz.operations.worst_case_gradient import bound_of_gradient, bound_of_gradient_sum

Array = np.ndarray[Any, Any]

GRADES = [parse_grade(f"{form}/{order}") for form in FORMS for order in SUMMATIONS]
OPERATIONS = ("cross_entropy", "nll_loss", "softmax", "log_softmax")


def ordinary_cases(operation: str, dtype: str) -> list[tuple[Case, Grade]]:
    cases = [(random_case(seed, operation, dtype, largest=400)[0], GRADES[seed % len(GRADES)]) for seed in range(60)]
    return [(case, grade) for case, grade in cases if is_ordinary(case) and ("reduction" not in case.options or mean_is_defined(case))]


def allowed_by(blocks: list[Block]) -> Array:
    """Infinite where more than a number may come out."""
    parts = [block.allowed if block.outcomes is None else np.where(block.outcomes == NUMBER, block.allowed, np.inf) for block in blocks]
    return np.concatenate(parts)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_of_values_and_gradients(operation: str, dtype: str) -> None:
    finite = 0
    for case, grade in ordinary_cases(operation, dtype):
        evaluation = get_operation(operation).evaluate(case)
        value, gradient, *_ = evaluation.outputs()
        for output, bound in ((value, bound_of_value(case, dtype, grade)), (gradient, bound_of_gradient(case, grade))):
            allowed = allowed_by(list(evaluation.blocks(output, grade, dtype)))
            assert (allowed <= bound * (1 + 1e-9)).all()
            finite += int(np.isfinite(bound).any())
    assert finite > 60


@pytest.mark.parametrize("operation", ["cross_entropy", "nll_loss"])
def test_a_denominator_that_cannot_be_stored_leaves_nothing_to_say(operation: str) -> None:
    """Of ignored rows and of other classes neither: 66,000 in float16."""
    case = case_of(operation, [[0.0, 1.0]] * 3, [0, 1, -100], dtype="float16", weight=[4e4, 4e4], upstream=1.0)
    assert np.isinf(bound_of_gradient(case, parse_grade("staged/any"))).all()


def test_a_product_that_cannot_be_stored_leaves_nothing_to_say_of_its_row() -> None:
    case = case_of(
        "nll_loss", [[0.0, 1.0]] * 3, [0, 1, -100], dtype="float16", weight=[1.0, 744.0], upstream=[1.0, 111.0, 1.0], reduction="none"
    )
    assert np.isinf(bound_of_gradient(case, parse_grade("staged/any"))).tolist() == [[False, False], [True, True], [False, False]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", ["cross_entropy", "softmax", "log_softmax"])
def test_of_the_sum_of_a_gradient(operation: str, dtype: str) -> None:
    """The sum of the elements' exact bounds is the largest that the sum may be off; its closed form need not sum worst cases."""
    for case, grade in ordinary_cases(operation, dtype):
        evaluation = get_operation(operation).evaluate(case)
        allowed = allowed_by(list(evaluation.blocks(evaluation.outputs()[1], grade, dtype)))
        assert (allowed.sum(axis=1) <= bound_of_gradient_sum(case, grade) * (1 + 1e-9)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_bound_of_gradients_is_not_much_larger_than_needed(dtype: str) -> None:
    ratios = []
    for case, grade in ordinary_cases("cross_entropy", dtype):
        evaluation = get_operation("cross_entropy").evaluate(case)
        allowed, bound = allowed_by(list(evaluation.blocks("grad_logits", grade, dtype))), bound_of_gradient(case, grade)
        finite = np.isfinite(bound) & (allowed > 0)
        ratios += list(np.median(bound[finite] / allowed[finite], keepdims=True)) if finite.any() else []
    assert np.median(ratios) < 12


@pytest.mark.parametrize("operation", ["cross_entropy"])
def test_coefficients_are_those_of_the_exact_result(operation: str) -> None:
    for case, _ in ordinary_cases(operation, "float64"):
        evaluation: Any = get_operation(operation).evaluate(case)
        part = evaluation.part(slice(0, evaluation.rows.count))
        kept = part.states.kept
        np.testing.assert_allclose(coefficients(case)[kept], part.coefficients.magnitude[kept], rtol=1e-12)
