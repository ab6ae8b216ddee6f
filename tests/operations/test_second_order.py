"""Exact second derivatives and their bounds, held against torch's own double backward and forward mode."""

from __future__ import annotations

import numpy as np
import pytest
import torch.nn.functional as F  # noqa: N812 - its usual name

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.compare import compare
from xentfuzz.dtypes import FLOAT_NAMES, numpy_dtype
from xentfuzz.operations import get_operation, operation_names
from xentfuzz.operations.grades import parse_grade
from xentfuzz.operations.second_order import evaluate_along
from xentfuzz.recipes.corpus import draw_corpus
from xentfuzz.recipes.expand import expand
from xentfuzz.recipes.recipe import recipe_from
from xentfuzz.recipes.space import Space
from xentfuzz.worker.libraries.torch_tensors import TorchTensors

TORCH = TorchTensors("cpu")
CASES = 16


def cases(operation, dtype, count, *, seed=0):
    options = {option.name: None for option in get_operation(operation).options if not option.opt_in}
    space = Space(operation, dtype, options=options, largest=600, long=0)
    return [expand(recipe) for recipe in draw_corpus(space, seed, count)]


def of_torch(case):
    def call(given):
        options = dict(case.options)
        dim = {"dim": options.pop("axis")} if "axis" in options else {}
        first, *others = (given[name] for name in given if name != "weight")
        weight = {"weight": given["weight"]} if "weight" in given else {}
        return getattr(F, case.operation)(first, *others, **weight, **options, **dim)

    return call


def derivatives(case, vector):
    """Hessian times vector, and twice the Jacobian times it: by double backward and in forward mode."""
    tensors = {name: TORCH.load(StridedArray.of(np.array(values))) for name, values in case.values.items()}
    upstream, along, first = tensors.pop("grad_output"), TORCH.load(StridedArray.of(vector)), next(iter(tensors))
    call = of_torch(case)
    second = TORCH.second_gradients(call, dict(tensors), first, upstream, along)
    tangent = TORCH.tangent(call, {name: tensor.detach() for name, tensor in tensors.items()}, first, along)
    return [as_array(each) for each in (*second, tangent)]


def as_array(tensor):
    collected = TORCH.collect(tensor)
    bits = np.asarray(collected.bits)
    return bits.view(numpy_dtype("bfloat16")) if collected.dtype == "bfloat16" else bits


def ratios(case, vector, grade):
    evaluation = evaluate_along(case, vector)
    outputs = (f"grad_{next(iter(case.values))}", "value", "value")
    return [compare(got, evaluation, output, grade, case.dtype) for output, got in zip(outputs, derivatives(case, vector), strict=True)]


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
@pytest.mark.parametrize("operation", operation_names())
def test_torch_is_within_the_bounds(operation, dtype):
    grade = parse_grade("staged/any" if "16" in dtype else "shift/any")
    for number, case in enumerate(cases(operation, dtype, CASES)):
        vector = np.random.default_rng(number).normal(size=next(iter(case.values.values())).shape).astype(numpy_dtype(dtype))
        assert [comparison.ok for comparison in ratios(case, vector, grade)] == [True] * 3


# The sum of the upstream gradients leaves float16 before it is multiplied by a small probability: NaN in torch.
OVERFLOWS = {
    "operation": "log_softmax",
    "dtype": "float16",
    "shape": (3, 7),
    "arrays": {"logits": {"regime": "dominant", "scale": 20.0}, "grad_output": {"regime": "loss_scale", "scale": 16384.0}},
    "options": {"axis": -1},
}


def test_nothing_is_said_where_an_intermediate_leaves_16_bit_storage():
    case = expand(recipe_from(OVERFLOWS))
    vector = np.full((3, 7), 1.5, np.float16)
    assert not np.isfinite(derivatives(case, vector)[0]).all()
    assert [comparison.ok for comparison in ratios(case, vector, parse_grade("staged/any"))] == [True] * 3


@pytest.mark.parametrize("operation", ["cross_entropy", "softmax", "log_softmax"])
def test_the_bounds_tell_a_missing_term(operation):
    """The softmax taken for a constant, which leaves nothing of the Hessian, and a hundred-thousandth more than all of it."""
    grade, found = parse_grade("lse/any"), {0.0: 0, 1.00001: 0}
    for number, case in enumerate(cases(operation, "float64", CASES)):
        vector = np.random.default_rng(number).normal(size=next(iter(case.values.values())).shape)
        evaluation = evaluate_along(case, vector)
        hessian = derivatives(case, vector)[0]
        for factor in found:
            found[factor] += not compare(hessian * factor, evaluation, "grad_logits", grade, "float64").ok
    assert min(found.values()) >= CASES // 2
