"""A wrong number names the step of the error analysis that it exceeds, and by how much."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.compare import Comparison, compare, first_laxer_grade_met
from xentfuzz.checks.exceeded import Exceeded, exceeded_step
from xentfuzz.checks.message import mismatch_message
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Evaluation
from xentfuzz.operations.grades import LADDER, parse_grade
from xentfuzz.operations.steps import ASSEMBLING, LOGARITHM, RESULT, STEPS, STORAGE, SUMMATION

CROSS_ENTROPY = get_operation("cross_entropy")
WORKING = parse_grade("lse/any")
Array = np.ndarray[Any, Any]


def evaluation_of(x: Array, dtype: str = "float32", **options: Any) -> Evaluation:
    arrays = {"logits": x.astype(numpy_dtype(dtype)), "target": np.zeros(len(x), np.int64), "grad_output": np.ones((), numpy_dtype(dtype))}
    case = Case(
        "cross_entropy", dtype, {name: StridedArray.of(array) for name, array in arrays.items()}, {**CROSS_ENTROPY.defaults, **options}
    )
    return CROSS_ENTROPY.evaluate(case)


def judged(evaluation: Evaluation, got: float, dtype: str = "float32", grade: str = "lse/any") -> tuple[Comparison, Exceeded | None]:
    comparison = compare(np.asarray(got), evaluation, "value", parse_grade(grade), dtype)
    assert not comparison.ok
    return comparison, exceeded_step(comparison.worst, evaluation, "value", parse_grade(grade), dtype)


def loss_by_logaddexp(x: Array) -> float:
    return float((np.logaddexp.reduce(x, axis=1) - x[:, 0]).mean())


def test_a_sum_of_logarithms_exceeds_the_assembling_of_log_softmax() -> None:
    x = (np.random.default_rng(0).normal(size=(1, 10_000)) + 1e4).astype(np.float32)
    evaluation, got = evaluation_of(x), loss_by_logaddexp(x)
    comparison, exceeded = judged(evaluation, got)
    assert exceeded is not None
    assert exceeded.step == ASSEMBLING
    # 4 |m| of 4 |m| + the rest; C - 1 roundings of |lse| are more than enough.
    assert 100 < comparison.ratio < exceeded.times < 1000
    laxer = first_laxer_grade_met(np.asarray(got), evaluation, "value", WORKING, "float32")
    lines = mismatch_message(comparison, "cross_entropy", "forward", laxer, exceeded).splitlines()
    assert lines[-2] == "declared grade lse/any (working precision) is not met; no laxer one is"
    assert lines[-1] == exceeded.words
    assert lines[-1].startswith("step exceeded: (4) log-softmax from x, m and log s, ")
    assert lines[-1].endswith(
        " times as large, as if it were good to 16 bits, or rounded once for each of 10000 classes, as a sum of logarithms is"
    )


def test_terms_that_a_sum_loses_exceed_the_summation() -> None:
    """Sums in blocks may lose a sixteenth of what one after the other loses."""
    x = np.full((1, 65_536), -17.0)
    x[0, 0] = 0
    _, exceeded = judged(evaluation_of(x), 0.0, grade="lse/blocked")
    assert exceeded is not None
    assert exceeded.step == SUMMATION
    assert exceeded.share > 0.9


def test_float32_within_float64_is_as_good_as_its_bits() -> None:
    x = np.random.default_rng(1).normal(size=(3, 50))
    evaluation = evaluation_of(x, "float64")
    exact = float(next(iter(evaluation.blocks("value", WORKING, "float64"))).exact[0])
    _, exceeded = judged(evaluation, exact * (1 + 2.0**-24), "float64")
    assert exceeded is not None
    assert 20 < exceeded.bits < 30


def test_a_wrong_formula_exceeds_no_step() -> None:
    x = np.random.default_rng(1).normal(size=(3, 50))
    assert judged(evaluation_of(x, reduction="sum"), 6.0)[1] is None


@pytest.mark.parametrize("grade", LADDER, ids=str)
def test_the_bound_is_the_sum_of_its_steps(grade: Any) -> None:
    x = np.random.default_rng(2).normal(size=(4, 30)) * 3 + 50
    for dtype in ("bfloat16", "float32"):
        evaluation = evaluation_of(x, dtype, label_smoothing=0.1)
        for output in ("value", "grad_logits"):
            whole = allowed(evaluation, output, grade, dtype)
            parts = {step: whole - allowed(evaluation, output, grade.leaving_out(step), dtype) for step in STEPS}
            assert all((part >= 0).all() for part in parts.values())
            assert sum(parts.values()) == pytest.approx(whole, rel=0.02)
            assert (parts[STORAGE] > 0).all() == (grade.form == "staged" and dtype == "bfloat16")
            assert (parts[RESULT] > 0).all()
            assert (parts[LOGARITHM] > 0).all()


def allowed(evaluation: Evaluation, output: str, grade: Any, dtype: str) -> Array:
    return np.concatenate([np.ravel(block.allowed) for block in evaluation.blocks(output, grade, dtype)])


def test_half_of_a_16_bit_loss_is_no_rounding_of_any_step() -> None:
    evaluation = evaluation_of(np.zeros((1, 2)), "bfloat16")
    comparison, exceeded = judged(evaluation, 0.345703125, "bfloat16")
    assert comparison.ratio < 200
    assert exceeded is None
