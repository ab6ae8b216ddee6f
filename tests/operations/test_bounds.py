"""No bound rejects a correct implementation, whatever its algebraic form and order of summation; every bound rejects plain mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from false_alarms import DEFAULT, Worst, blocks_of, hold, long_rows, search
from honest import HONEST, Form
from measured import block_ratio, call, ratio
from random_cases import DTYPES, random_case
from wrong import INACCURATE, truncated_softmax

from xentfuzz.arrays import StridedArray
from xentfuzz.operations import get_operation, operation_names
from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import parse_grade

DEFAULTS = get_operation("cross_entropy").defaults


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_correct_forms_stay_within_the_bound(operation: str, dtype: str) -> None:
    assert search(operation, dtype, range(25), largest=400).alarms == []


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_thousands_of_cases_stay_within_the_bound(operation: str, dtype: str) -> None:
    worst = search(operation, dtype, range(1000, 3000 if operation == "cross_entropy" else 2000), largest=4000)
    print(f"\n{operation} {dtype}: {worst.cases} cases", *worst.lines(), sep="\n")
    assert worst.alarms == []


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("regime", ["swamp", "ascending", "descending", "constant", "offset 8000", "dominant"])
def test_long_rows_stay_within_the_bound(regime: str, dtype: str) -> None:
    for classes in (4096, 32768, 131072):
        for seed in range(4):
            worst = long_rows(dtype, regime, classes, seed)
            print(f"{dtype} {regime} {classes} {max(worst.by_form.values()):.3f}")
            assert worst.alarms == []


def test_sequential_sums_reach_the_bound() -> None:
    """The bound for sums in any order is attained, so it cannot be tightened without rejecting sequential sums."""
    x = np.full((1, 131072), -17.0, np.float32)
    x[0, 0] = 0.0
    arrays = {"logits": x, "target": np.zeros(1, np.int64), "grad_output": np.ones((), np.float32)}
    case = Case("cross_entropy", "float32", {name: StridedArray.of(array) for name, array in arrays.items()}, DEFAULTS)
    worst = Worst()
    hold(worst, case, "swamp", [HONEST["sequential, shift"], HONEST["two passes, shift"]], "")
    assert worst.alarms == []
    assert worst.by_form["sequential, shift", "value"] > 0.95
    assert worst.by_form["two passes, shift", "value"] < 0.5


def allowed_errors(case: Case, output: str, grade: str) -> np.ndarray:
    blocks = get_operation("cross_entropy").evaluate(case).blocks(output, parse_grade(grade), case.dtype)
    return np.concatenate([np.ravel(block.allowed) for block in blocks])


def test_a_loss_below_the_smallest_number_has_a_bound() -> None:
    """The surprisal of a class 745 above all others is subnormal even in float64; a bound of NaN would reject everything."""
    x = np.array([[745.0, 0.0]], np.float32)
    arrays = {"logits": x, "target": np.array([[1, 0]], np.float32), "grad_output": np.ones((), np.float32)}
    case = Case("cross_entropy", "float32", {name: StridedArray.of(array) for name, array in arrays.items()}, DEFAULTS)
    assert np.all(allowed_errors(case, "value", "lse/any") > 0)
    assert np.all(allowed_errors(case, "grad_logits", "lse/any") > 0)


def test_weights_that_no_row_reads_have_no_part_in_a_bound() -> None:
    arrays = {
        "logits": np.zeros((2, 3), np.float16),
        "target": np.array([0, 1]),
        "weight": np.array([1, 1, np.nan], np.float16),
        "grad_output": np.ones((), np.float16),
    }
    case = Case("cross_entropy", "float16", {name: StridedArray.of(array) for name, array in arrays.items()}, DEFAULTS)
    assert np.all(allowed_errors(case, "grad_logits", "staged/any") > 0)


def detections(form: Form, operation: str, dtype: str, cases: int) -> int:
    """In how many of so many random cases value or gradient is outside the bound of the default grade."""
    found = 0
    for seed in range(cases):
        case, _ = random_case(seed, operation, dtype, largest=2000)
        blocks = blocks_of(case, dtype)
        outputs = dict.fromkeys(output for output, _ in blocks)
        got = [call(function, case, backward=output != "value") for output, function in zip(outputs, form.pair(operation), strict=True)]
        ratios = [block_ratio(one, block) for output, one in zip(outputs, got, strict=True) for block in blocks[output, DEFAULT]]
        found += max(ratios) > 1
    return found


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("mistake", INACCURATE)
@pytest.mark.parametrize("operation", ["softmax", "cross_entropy"])
def test_mistakes_are_outside_the_bound(operation: str, mistake: str, dtype: str) -> None:
    assert detections(INACCURATE[mistake], operation, dtype, 40) >= 3


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_truncated_result_is_outside_the_bound(dtype: str) -> None:
    """In 16 bits, where the output's rounding is all there is; a float32 result may be off by several roundings."""
    outside = 0
    for seed in range(20):
        case, _ = random_case(seed, "softmax", dtype, largest=400)
        got = call(truncated_softmax, case, backward=False)
        outside += ratio(got, get_operation("softmax").evaluate(case), "value", DEFAULT, dtype) > 1
    assert outside > 10 if dtype == "float16" else outside == 0


def test_a_bound_near_the_end_of_float64_is_a_number() -> None:
    x = np.full((1, 2), np.finfo(np.float64).max)
    arrays = {"logits": x, "target": np.array([[1.0, 0.0]]), "grad_output": np.ones(())}
    case = Case("cross_entropy", "float64", {name: StridedArray.of(array) for name, array in arrays.items()}, DEFAULTS)
    assert np.all(allowed_errors(case, "value", "lse/any") > 0)
