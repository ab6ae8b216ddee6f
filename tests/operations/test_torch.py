"""torch is no reference, but an independent implementation: what it gives must be within its grade, special values included."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from honest import HONEST
from measured import block_ratio, call
from random_cases import DTYPES, random_case
from special_cases import special_case
from with_torch import grade_of_torch, results

from xentfuzz.operations import get_operation, operation_names, precision
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Block
from xentfuzz.operations.grades import parse_grade

FORMS = ("two passes, shift", "two passes, lse", "sequential, lse", "float64 throughout")


def checked(blocks: Iterable[Block]) -> list[Block]:
    """The blocks, none of which has a bound that compares with nothing."""
    found = list(blocks)
    for block in found:
        assert (block.allowed >= 0).all()
        assert np.isfinite(block.allowed[~np.isfinite(block.exact)]).all()
    return found


def worst_of_torch(case: Case) -> float:
    evaluation = get_operation(case.operation).evaluate(case)
    got = results(case)
    assert set(got) == set(evaluation.outputs())
    grade = grade_of_torch(case.dtype)
    return max(block_ratio(got[output], block) for output in got for block in checked(evaluation.blocks(output, grade, case.dtype)))


def worst_of_forms(case: Case) -> float:
    evaluation = get_operation(case.operation).evaluate(case)
    worst = 0.0
    for output, backward in zip(evaluation.outputs()[:2], (False, True), strict=True):
        blocks = checked(evaluation.blocks(output, parse_grade("lse/any"), case.dtype))
        for form in FORMS:
            got = call(HONEST[form].pair(case.operation)[backward], case, backward=backward)
            worst = max(worst, *(block_ratio(got, block) for block in blocks))
    return worst


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_torch_is_within_its_grade(operation: str, dtype: str) -> None:
    for seed in range(30):
        assert worst_of_torch(random_case(seed, operation, dtype, largest=300)[0]) <= 1, seed


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_torch_gives_allowed_outcomes_for_special_values(operation: str, dtype: str) -> None:
    for seed in range(40):
        assert worst_of_torch(special_case(seed, operation, dtype)) <= 1, seed


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_plain_forms_give_allowed_outcomes_for_special_values(operation: str, dtype: str) -> None:
    for seed in range(40):
        assert worst_of_forms(special_case(seed, operation, dtype)) <= 1, seed


@pytest.mark.parametrize("operation", operation_names())
def test_double_double_expects_the_same_outcomes(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "EXTENDED", precision.DOUBLE_DOUBLE)
    for seed in range(40):
        case = special_case(seed, operation, "float64")
        assert max(worst_of_torch(case), worst_of_forms(case)) <= 1, seed


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_thousands_of_results_are_allowed(operation: str, dtype: str) -> None:
    for seed in range(10_000, 11_500):
        case = special_case(seed, operation, dtype)
        assert worst_of_torch(case) <= 1, seed
        assert worst_of_forms(case) <= 1, seed
        assert worst_of_torch(random_case(seed, operation, dtype, largest=3000)[0]) <= 1, seed
