"""Exact results are exact: against mpmath, against torch in float64, and whatever arithmetic they are computed in."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from exact_with_mpmath import exact
from random_cases import DTYPES, random_case

from xentfuzz.dtypes import numpy_dtype
from xentfuzz.operations import get_operation, operation_names, precision
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import Block
from xentfuzz.operations.grades import parse_grade

STRICT = parse_grade("shift/pairwise")
SMALL = 60  # elements: mpmath is slow

# Of the strictest bound: what its own error may cost a verdict. Long double is measured at 8e-5, float64 for float32 at 4e-10.
NEGLIGIBLE = 1e-3


def blocks_of(case: Case, output: str) -> list[Block]:
    return list(get_operation(case.operation).evaluate(case).blocks(output, STRICT, case.dtype))


def own_error(case: Case) -> float:
    """The largest error of an exact result, relative to what it allows an implementation."""
    worst = 0.0
    for output, elements in exact(case).items():
        blocks = blocks_of(case, output)
        got = np.concatenate([block.exact.reshape(-1) for block in blocks])
        allowed = np.concatenate([block.allowed.reshape(-1) for block in blocks])
        for value, true, room in zip(got, elements, allowed, strict=True):
            # mpmath takes a long double by way of a double.
            error = abs(mpmath.mpf(float(value)) + mpmath.mpf(float(value - np.float64(value))) - true)
            worst = max(worst, float(error / room) if room else float(error > 0))
    return worst


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_against_mpmath(operation: str, dtype: str) -> None:
    with mpmath.workdps(60):
        assert max(own_error(random_case(seed, operation, dtype, largest=20)[0]) for seed in range(6)) < NEGLIGIBLE


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_hundreds_against_mpmath(operation: str, dtype: str) -> None:
    with mpmath.workdps(60):
        worst = max(own_error(random_case(seed, operation, dtype, largest=SMALL)[0]) for seed in range(100, 300))
    print(f"\n{operation} {dtype}: {worst:.2e} of the strictest bound")
    assert worst < NEGLIGIBLE


@pytest.mark.parametrize("operation", operation_names())
def test_double_double_agrees_with_long_double(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the rounding to float64 that a Block costs where there is no long double, which its bound makes room for."""
    if precision.EXTENDED is precision.DOUBLE_DOUBLE:
        pytest.skip("long double is no wider than double here")
    for seed in range(20):
        case, _ = random_case(seed, operation, "float64", largest=100)
        for output in get_operation(operation).evaluate(case).outputs():
            monkeypatch.setattr(precision, "EXTENDED", precision.LONG_DOUBLE)
            wide = blocks_of(case, output)
            monkeypatch.setattr(precision, "EXTENDED", precision.DOUBLE_DOUBLE)
            for narrow, reference in zip(blocks_of(case, output), wide, strict=True):
                assert narrow.exact.dtype == np.float64
                room = np.abs(reference.exact) * (2.0**-53 + 2.0**-60) + NEGLIGIBLE * reference.allowed
                assert (np.abs(narrow.exact - reference.exact) <= room).all()
                assert (narrow.allowed <= reference.allowed + np.abs(narrow.exact) * 2.0**-52 + 1e-300).all()


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_a_small_loss_is_relatively_accurate(reduction: str) -> None:
    """log1p of what the other classes add: float64 arithmetic on s = 1 + 1e-30 would say 0."""
    from cases import evaluation_of, only_block

    block = only_block(evaluation_of("cross_entropy", [[70.0, 0.0]], [0], reduction=reduction), "value")
    assert float(block.exact[0]) == pytest.approx(np.exp(-70), rel=1e-14)
    double = only_block(evaluation_of("cross_entropy", [[700.0, 0.0]], [0], reduction=reduction, dtype="float64"), "value")
    assert float(double.exact[0]) == pytest.approx(np.exp(-700), rel=1e-14)


def torch_results(case: Case) -> dict[str, Any]:
    """Value and gradients by torch in float64, of the already rounded inputs."""
    functional = torch.nn.functional
    tensors = {}
    for name, array in case.values.items():
        tensors[name] = torch.tensor(array if array.dtype.kind in "iu" else array.astype(np.float64))
    upstream = tensors.pop("grad_output")
    first, *rest = tensors
    probabilities = "target" in tensors and tensors["target"].is_floating_point()
    wanted = [first, *(rest if probabilities else [])]
    for name in wanted:
        tensors[name].requires_grad_(requires_grad=True)
    options = {name: value for name, value in case.options.items() if value is not None}
    if "axis" in options:
        options["dim"] = options.pop("axis")
    value = getattr(functional, case.operation)(*tensors.values() if "weight" not in tensors else list(tensors.values()), **options)
    value.backward(upstream)
    return {"value": value.detach().numpy(), **{f"grad_{name}": tensors[name].grad.numpy() for name in wanted}}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_against_torch_in_float64(operation: str, dtype: str) -> None:
    """Within the bound for a float64 implementation: torch knows nothing of our formulas."""
    for seed in range(40):
        narrow, _ = random_case(seed, operation, dtype, largest=300)
        case = in_float64(narrow)
        evaluation = get_operation(operation).evaluate(case)
        results = torch_results(case)
        assert set(results) == set(evaluation.outputs())
        for output, result in results.items():
            assert result.shape == evaluation.shape(output)
            for block in evaluation.blocks(output, parse_grade("lse/any"), "float64"):
                assert (np.abs(block.select(result) - block.exact) <= block.allowed).all()
        agrees_with_wider(narrow, case)


def in_float64(case: Case) -> Case:
    from xentfuzz.arrays import StridedArray

    arrays = {}
    for name, array in case.arrays.items():
        arrays[name] = array if case.values[name].dtype.kind in "iu" else StridedArray.of(case.values[name].astype(np.float64))
    return Case(case.operation, "float64", arrays, case.options)


def agrees_with_wider(narrow: Case, wide: Case) -> None:
    """The exact result does not depend on the dtype that holds the inputs."""
    for output in get_operation(narrow.operation).evaluate(narrow).outputs():
        for one, other in zip(blocks_of(narrow, output), blocks_of(wide, output), strict=True):
            assert (np.abs(one.exact - other.exact) <= NEGLIGIBLE * one.allowed + 1e-12 * np.abs(one.exact)).all()
            assert numpy_dtype(narrow.dtype) is not None
