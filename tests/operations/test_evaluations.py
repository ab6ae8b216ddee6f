"""What holds for evaluations as such: shapes, blocks, grades, returned dtypes, reductions, options, memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from cases import case_of, evaluation_of, only_block, outcome_words, policy_names
from random_cases import DTYPES, random_case, stored

from xentfuzz.arrays import StridedArray
from xentfuzz.errors import UnknownName, UsageError
from xentfuzz.operations import get_operation, operation_names, rows
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import NAN, Block
from xentfuzz.operations.grades import Grade, parse_grade
from xentfuzz.operations.options import effective_reduction

Array = np.ndarray[Any, Any]

DEFAULT = parse_grade("lse/any")


def whole(evaluation: Any, output: str, grade: Grade, dtype: str, field: str) -> Array:
    """The blocks' exact or allowed values put together in the shape of the output."""
    result = np.full(evaluation.shape(output), np.nan)
    for block in evaluation.blocks(output, grade, dtype):
        values = getattr(block, field)
        for index in np.ndindex(values.shape):
            result[block.locate(index)] = values[index]
    return result


def test_names() -> None:
    assert operation_names() == ("cross_entropy", "log_softmax", "nll_loss", "softmax")
    assert [get_operation(name).name for name in operation_names()] == list(operation_names())
    with pytest.raises(UnknownName, match="did you mean 'softmax'"):
        get_operation("softmaxx")


@pytest.mark.parametrize("operation", operation_names())
def test_select_and_locate_agree(operation: str) -> None:
    for seed in range(12):
        case, _ = random_case(seed, operation, "float32", largest=60)
        evaluation = get_operation(operation).evaluate(case)
        for output in evaluation.outputs():
            marks = np.arange(float(np.prod(evaluation.shape(output)))).reshape(evaluation.shape(output))
            seen = []
            for block in evaluation.blocks(output, DEFAULT, "float32"):
                part = block.select(marks)
                assert part.shape == block.exact.shape == block.allowed.shape
                for index in np.ndindex(part.shape):
                    assert marks[block.locate(index)] == part[index]
                seen += part.reshape(-1).tolist()
            assert sorted(seen) == marks.reshape(-1).tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", operation_names())
def test_blocks_do_not_change_the_expectation(operation: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(15):
        case, _ = random_case(seed, operation, dtype, largest=80)
        evaluate = get_operation(operation).evaluate
        for output in evaluate(case).outputs():
            for field in ("exact", "allowed"):
                monkeypatch.setattr(rows, "BLOCK_ELEMENTS", 1 << 19)
                expected = whole(evaluate(case), output, DEFAULT, dtype, field)
                monkeypatch.setattr(rows, "BLOCK_ELEMENTS", 7)
                assert np.allclose(whole(evaluate(case), output, DEFAULT, dtype, field), expected, rtol=1e-9, atol=1e-300)


def test_special_rows_of_several_blocks_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK_ELEMENTS", 2)
    logits = [[0.0, 0.0], [np.nan, 0.0], [-np.inf, 0.0]]
    assert outcome_words(only_block(evaluation_of("cross_entropy", logits, [0, 0, 0], reduction="none"), "value")) == [
        {0.6931},
        {"nan"},
        {"+inf"},
    ]
    blocks = list(evaluation_of("cross_entropy", logits, [0, 0, 0], reduction="sum").blocks("grad_logits", DEFAULT, "float32"))
    assert [block.nan_rows is not None for block in blocks] == [False, True, False]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", operation_names())
def test_a_laxer_grade_allows_more(operation: str, dtype: str) -> None:
    for seed in range(10):
        case, _ = random_case(seed, operation, dtype, largest=200)
        evaluation = get_operation(operation).evaluate(case)
        for output in evaluation.outputs():
            for form in ("shift", "lse"):
                allowed = [whole(evaluation, output, Grade(form, order), dtype, "allowed") for order in ("pairwise", "blocked", "any")]
                assert (allowed[0] <= allowed[2]).all()
                assert (allowed[1] <= allowed[2]).all()
            strict, default, staged = (
                whole(evaluation, output, parse_grade(f"{form}/any"), dtype, "allowed") for form in ("shift", "lse", "staged")
            )
            assert (strict <= default).all()
            assert (default <= staged).all()
            assert (dtype in {"float16", "bfloat16"}) or np.array_equal(default, staged)


def test_a_loss_returned_in_float32_is_held_to_it() -> None:
    evaluation = evaluation_of("cross_entropy", [[1.0, 2.0], [3.0, 1.0]], [0, 1], dtype="bfloat16")
    own, wider = only_block(evaluation, "value"), only_block(evaluation, "value", dtype="float32")
    assert own.exact == wider.exact
    assert own.allowed > 2.0**-8 * own.exact
    assert wider.allowed < 2.0**-17 * own.exact


def test_without_an_upstream_gradient_it_is_that_of_the_sum() -> None:
    for reduction in ("none", "sum", "mean"):
        shape = (2,) if reduction == "none" else ()
        given = evaluation_of("cross_entropy", [[1.0, 2.0], [3.0, 1.0]], [0, 1], upstream=np.ones(shape), reduction=reduction)
        none = evaluation_of("cross_entropy", [[1.0, 2.0], [3.0, 1.0]], [0, 1], reduction=reduction)
        for field in ("exact", "allowed"):
            assert np.array_equal(*(getattr(only_block(one, "grad_logits"), field) for one in (given, none)))


def test_outputs_are_the_differentiable_floats() -> None:
    logits, probabilities = [[1.0, 2.0]], [[0.5, 0.5]]
    assert evaluation_of("cross_entropy", logits, [0], weight=[1.0, 2.0]).outputs() == ("value", "grad_logits")
    assert evaluation_of("cross_entropy", logits, probabilities).outputs() == ("value", "grad_logits", "grad_target")
    weighted = evaluation_of("cross_entropy", logits, probabilities, weight=[1.0, 2.0])
    assert weighted.outputs() == ("value", "grad_logits", "grad_target", "grad_weight")
    assert [weighted.shape(output) for output in weighted.outputs()] == [(), (1, 2), (1, 2), (2,)]
    assert evaluation_of("nll_loss", logits, [0]).outputs() == ("value", "grad_log_probs")


@pytest.mark.parametrize(
    ("options", "reduction"),
    [
        ({"reduction": "sum"}, "sum"),
        ({"reduction": "none", "size_average": None, "reduce": None}, "none"),
        ({"reduction": "none", "size_average": True}, "mean"),
        ({"reduction": "none", "size_average": False}, "sum"),
        ({"reduction": "sum", "reduce": True}, "mean"),
        ({"reduction": "sum", "reduce": False}, "none"),
        ({"reduction": "mean", "size_average": False, "reduce": True}, "sum"),
        ({"reduction": "mean", "size_average": True, "reduce": False}, "none"),
    ],
)
def test_deprecated_options_override_reduction(options: dict[str, Any], reduction: str) -> None:
    assert effective_reduction(options) == reduction
    evaluation = evaluation_of("cross_entropy", [[1.0, 2.0], [3.0, 1.0]], [0, 1], **options)
    plain = evaluation_of("cross_entropy", [[1.0, 2.0], [3.0, 1.0]], [0, 1], reduction=reduction)
    assert np.array_equal(only_block(evaluation, "value").exact, only_block(plain, "value").exact)


def test_an_unknown_reduction_is_an_error() -> None:
    with pytest.raises(UsageError, match="reduction='average' is none of mean, sum, none"):
        evaluation_of("cross_entropy", [[1.0, 2.0]], [0], reduction="average")


def test_values_of_options_lie_inside_and_outside_of_the_classes() -> None:
    (ignore_index,) = (option for option in get_operation("cross_entropy").options if option.name == "ignore_index")
    assert callable(ignore_index.values)
    assert ignore_index.values((4, 5), "index") == (-100, 0, 4, -1, 5, 255, 2, 65536)
    assert ignore_index.values((1,), "index") == (-100, 0, -1, 1, 255, 65536)
    assert all(value < 0 for value in ignore_index.values((4, 5), "probabilities"))
    (axis,) = get_operation("softmax").options
    assert callable(axis.values)
    assert axis.values((2, 3), "index") == (-1, -2, 0, 1)
    assert axis.always


def test_smoothing_near_one_allows_for_its_own_rounding() -> None:
    """float32(0.9) errs by 2.4e-8: a fifth of a float32 rounding of 1, but two and a half of 1 - 0.9."""
    exact, rounded = (only_block(evaluation_of("cross_entropy", [[0.0, 9.0]], [0], label_smoothing=a), "value") for a in (0.875, 0.9))
    weight = {0.875: 0.5625, 0.9: 0.55}
    assert rounded.allowed / weight[0.9] > exact.allowed / weight[0.875] * 1.05


def test_a_gradient_rounded_before_it_is_scaled_may_overflow_on_the_way() -> None:
    arguments: dict[str, Any] = {"dtype": "float16", "reduction": "sum", "weight": [60000.0, 60000.0], "upstream": 2.0**-10}
    evaluation = evaluation_of("cross_entropy", [[0.0, 30.0]], [[2.0, 0.0]], **arguments)
    block = only_block(evaluation, "grad_logits")
    assert outcome_words(block)[0][0] == {-117.1875, "nan", "+inf", "-inf"}
    assert policy_names(block, evaluation) == {"overflow of an intermediate"}
    assert (
        only_block(evaluation_of("cross_entropy", [[0.0, 30.0]], [[2.0, 0.0]], **{**arguments, "upstream": 1.0}), "value").outcomes
        is not None
    )


def test_weights_of_mixed_sign_widen_the_mean() -> None:
    plain = only_block(evaluation_of("cross_entropy", [[0.0, 1.0]] * 2, [0, 1], weight=[1.0, 0.25]), "value")
    mixed = only_block(evaluation_of("cross_entropy", [[0.0, 1.0]] * 2, [0, 1], weight=[1.0, -0.98]), "value")
    assert mixed.allowed / abs(mixed.exact) > 5 * plain.allowed / abs(plain.exact)


def test_the_expectation_is_the_same_for_every_layout() -> None:
    values = np.random.default_rng(0).normal(0, 3, (6, 40))
    for dtype in ("float32", "float64"):
        base = stored(values, dtype)
        view = base.view()
        transposed = StridedArray.of(np.ascontiguousarray(view.T))
        fortran = StridedArray(transposed.storage, dtype, view.shape, transposed.strides[::-1])
        exact = []
        for array in (base, fortran):
            case = Case("softmax", dtype, {"logits": array}, {"axis": 1})
            block: Block = only_block(get_operation("softmax").evaluate(case), "value")
            exact.append(block.exact)
        assert np.array_equal(*exact)


@pytest.mark.parametrize(("dtype", "kind"), [("float32", "index"), ("float64", "probabilities")])
def test_memory_is_bounded(dtype: str, kind: str) -> None:
    """At most the logits as float64 and 256 MiB, for the value and every gradient."""
    shape, random = (64, 65536), np.random.default_rng(0)
    target = random.integers(0, shape[1], shape[0]) if kind == "index" else random.random(shape)
    case = case_of("cross_entropy", random.normal(0, 1, shape), target, dtype=dtype, label_smoothing=0.1, weight=random.random(shape[1]))
    evaluation = get_operation("cross_entropy").evaluate(case)
    tracemalloc.start()
    try:
        for output in evaluation.outputs():
            for block in evaluation.blocks(output, DEFAULT, dtype):
                assert block.outcomes is None or not (block.outcomes & NAN).any()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * shape[0] * shape[1] + (256 << 20)
