"""The plain evaluation is within the strictest bound for rows in any summation order, on every operation, dtype, reduction and target."""

from __future__ import annotations

import numpy as np
import pytest
from measured import ratio
from random_cases import DTYPES, random_case

from xentfuzz.operations import get_operation, operation_names
from xentfuzz.operations.grades import parse_grade
from xentfuzz.operations.plain import plain_gradient, plain_value

SHIFT = parse_grade("shift/any")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_the_plain_evaluation_is_right(operation: str, dtype: str) -> None:
    found = {"value": 0.0, "gradient": 0.0}
    for seed in range(40):
        case, _ = random_case(seed, operation, dtype, largest=400)
        evaluation = get_operation(operation).evaluate(case)
        gradient = f"grad_{get_operation(operation).arguments[0].name}"
        results = {"value": plain_value(case, dtype), gradient: plain_gradient(case, dtype)}
        for output, got in results.items():
            assert got.dtype.name == dtype
            kind = "value" if output == "value" else "gradient"
            found[kind] = max(found[kind], ratio(got, evaluation, output, SHIFT, dtype))
    assert 0 < found["value"] <= 1
    assert 0 < found["gradient"] <= 1


def test_a_loss_in_float32_is_rounded_once() -> None:
    case, _ = random_case(3, "cross_entropy", "bfloat16", largest=400)
    assert plain_value(case, "float32").dtype == np.float32
