"""Relations without exact results hold for correct implementations of every form and grade, and each finds the mistake that it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from cases import case_of
from honest import HONEST, Form
from measured import call
from random_cases import DTYPES, random_case
from wrong import INACCURATE

from xentfuzz.arrays import StridedArray
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import Grade, parse_grade
from xentfuzz.operations.metamorphic import OF_CROSS_ENTROPY, OF_NLL_LOSS, OF_SOFTMAX
from xentfuzz.operations.relation import Relation

Array = np.ndarray[Any, Any]
Function = Callable[..., Array]

STATED = {"cross_entropy": OF_CROSS_ENTROPY, "nll_loss": OF_NLL_LOSS, "softmax": OF_SOFTMAX, "log_softmax": OF_SOFTMAX}
RELATIONS = [(operation, stated.name) for operation, relations in STATED.items() for stated in relations]

STRICT, DEFAULT = parse_grade("shift/any"), parse_grade("lse/any")


def named(operation: str, name: str) -> Relation:
    return next(relation for relation in get_operation(operation).relations if relation.name == name)


def ratio(relation: Relation, case: Case, forward: Function, backward: Function | None = None, grade: Grade = DEFAULT) -> float:
    """The largest difference / allowed difference."""

    def result(operation: str, derived: Case, function: str = "forward") -> Array:
        assert operation == case.operation
        chosen = forward if function == "forward" else backward
        assert chosen is not None
        return call(chosen, derived, backward=function == "backward")

    left, right, allowed = relation.judge(case, result, grade)
    assert left.shape == right.shape == allowed.shape
    assert (allowed >= 0).all()
    with np.errstate(all="ignore"):
        found = np.where(left == right, 0.0, np.abs(left - right) / allowed)
    return float(np.nan_to_num(found, nan=np.inf).max(initial=0.0))


def with_layout(case: Case, seed: int) -> Case:
    """The first argument in Fortran order, or reversed in memory."""
    name = next(iter(case.values))
    values = case.values[name]
    if seed % 2:
        stored = np.asfortranarray(values)
        array = StridedArray(stored.reshape(-1, order="A").view(np.uint8), case.dtype, values.shape, stored.strides)
    else:
        stored = np.ascontiguousarray(np.flip(values))
        offset = sum((length - 1) * stride for length, stride in zip(stored.shape, stored.strides, strict=True))
        strides = tuple(-stride for stride in stored.strides)
        array = StridedArray(stored.reshape(-1).view(np.uint8), case.dtype, values.shape, strides, offset)
    np.testing.assert_array_equal(array.view(), values)
    return Case(case.operation, case.dtype, {**case.arrays, name: array}, case.options)


def grade_of(form: Form) -> Grade:
    return STRICT if form.algebra == "shift" and not form.base2 else DEFAULT


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("operation", "name"), RELATIONS, ids=lambda value: value)
def test_correct_implementations_keep_it(operation: str, name: str, dtype: str) -> None:
    relation, compared = named(operation, name), 0
    for seed in range(70):
        case, _ = random_case(seed, operation, dtype, largest=200)
        case = with_layout(case, seed) if name.startswith("layout") else case
        if relation.applies(case):
            compared += 1
            form = list(HONEST.values())[seed % len(HONEST)]
            assert ratio(relation, case, *form.pair(operation), grade_of(form)) <= 1
    assert compared


@pytest.mark.parametrize(("operation", "name"), RELATIONS, ids=lambda value: value)
def test_its_draws_are_fields_of_a_space(operation: str, name: str) -> None:
    relation = named(operation, name)
    assert set(relation.draws) <= {"targets", "ranks", "weight", "options"}
    assert set(relation.draws["options"]) <= {option.name for option in get_operation(operation).options}


# ---- mistakes


@dataclass(frozen=True)
class Mistake:
    """A correct kernel whose arguments, or whose result, something is done to. about: the operation."""

    change: Callable[..., Any]
    operation: str = "cross_entropy"

    def __call__(self, logits: Array, **arguments: Any) -> Array:
        honest = HONEST["two passes, lse"].pair(self.operation)[0]
        return np.asarray(self.change(honest, logits, **arguments)).astype(logits.dtype)


@dataclass(frozen=True)
class MistakenGradient:
    """The same for backward: `change(honest, grad_output, logits, ...)`."""

    change: Callable[..., Any]
    operation: str = "cross_entropy"

    def __call__(self, grad_output: Array, **arguments: Any) -> Array:
        honest = HONEST["two passes, lse"].pair(self.operation)[1]
        first = arguments.pop(next(iter(arguments)))
        return np.asarray(self.change(honest, grad_output, first, **arguments)).astype(first.dtype)


def chunk_means(honest: Function, logits: Array, target: Array, **options: Any) -> Array:
    chunks = range(0, len(logits), 2)
    means = [honest(logits[start : start + 2], target[start : start + 2], **options) for start in chunks]
    return np.mean(np.array(means, np.float64))


def next_label(honest: Function, logits: Array, target: Array, **options: Any) -> Array:
    target = target.copy()
    target[1] = target[0]
    return honest(logits, target, **options)


def tail_dropped(honest: Function, logits: Array, target: Array, **options: Any) -> Array:
    logits = logits.copy()
    logits[:, 4:] = np.where(np.arange(4, logits.shape[1]) == target[:, None], logits[:, 4:], -1e4)
    return honest(logits, target, **options)


def divided_by_all_rows(honest: Function, logits: Array, target: Array, *, reduction: str = "mean", **options: Any) -> Array:
    total = honest(logits, target, reduction="sum" if reduction == "mean" else reduction, **options)
    return total / target.size if reduction == "mean" else total


def ignored_rows_counted(honest: Function, logits: Array, target: Array, **options: Any) -> Array:
    return honest(logits, target, **options) + 0.01 * (target == -100).sum()


def weights_softened(honest: Function, logits: Array, target: Array, *, weight: Array, **options: Any) -> Array:
    return honest(logits, target, weight=weight + weight.dtype.type(0.01), **options)


def largest_class(honest: Function, logits: Array, target: Array, **options: Any) -> Array:
    return honest(logits, target.argmax(axis=1), **options)


def spatial_order(honest: Function, logits: Array, target: Array, **options: Any) -> Array:
    return honest(logits, target[..., ::-1] if target.ndim > 1 else target, **options)


def as_contiguous(honest: Function, logits: Array, target: Array, **options: Any) -> Array:
    # Reads the memory of the array as if it lay in C order.
    return honest(logits.ravel(order="K").reshape(logits.shape), target, **options)


def previous_row(honest: Function, logits: Array, **options: Any) -> Array:
    return honest(logits + np.float32(0.01) * np.roll(logits, 1, axis=0), **options)


def first_class_special(honest: Function, logits: Array, **options: Any) -> Array:
    return honest(logits, **options) * (1 + 0.01 * (np.arange(logits.shape[1]) == 0))


def gradient_divided_by_all_rows(honest: Function, upstream: Array, logits: Array, target: Array, **options: Any) -> Array:
    return honest(upstream, logits, target, **options) * (np.mean(target != -100))


def gradient_of_chunks(honest: Function, upstream: Array, logits: Array, target: Array, **options: Any) -> Array:
    chunks = [slice(start, start + 4) for start in range(0, len(logits), 4)]
    gradients = [honest(upstream, logits[chunk], target[chunk], **options) for chunk in chunks]
    return np.concatenate(gradients) / len(chunks)


def gradient_by_the_first_upstream(honest: Function, upstream: Array, logits: Array, **options: Any) -> Array:
    return honest(np.broadcast_to(upstream[:1], upstream.shape), logits, **options)


def gradient_without_a_tail(honest: Function, upstream: Array, logits: Array, **options: Any) -> Array:
    gradient = honest(upstream, logits, **options).copy()
    gradient[:, 4:] = 0
    return gradient


def gradient_by_unscaled_weights(honest: Function, upstream: Array, logits: Array, *, weight: Array, **options: Any) -> Array:
    return honest(upstream, logits, weight=weight / weight.sum(), **options)


def probabilities_that_add_up_to_one(honest: Function, upstream: Array, logits: Array, target: Array, **options: Any) -> Array:
    return honest(upstream, logits, target / target.sum(axis=1, keepdims=True), **options)


def gradient_in_spatial_order(honest: Function, upstream: Array, logits: Array, target: Array, **options: Any) -> Array:
    gradient = honest(upstream, logits, target, **options)
    return gradient[..., ::-1] if gradient.ndim > 2 else gradient


def gradient_by_its_own_softmax(honest: Function, upstream: Array, logits: Array, target: Array, **options: Any) -> Array:
    return INACCURATE["no maximum subtracted"].pair("cross_entropy")[1](upstream, logits, target, **options)


def gradient_as_contiguous(honest: Function, upstream: Array, logits: Array, target: Array, **options: Any) -> Array:
    return honest(upstream, logits.ravel(order="K").reshape(logits.shape), target, **options)


def upstream_not_subtracted(honest: Function, upstream: Array, logits: Array, **options: Any) -> Array:
    """p g: the diagonal of the Jacobian alone."""
    return HONEST["two passes, lse"].pair("softmax")[0](logits, **options) * upstream


X = np.random.default_rng(0).normal(0, 3, (6, 8))
CUBE = np.random.default_rng(1).normal(0, 3, (2, 5, 3))
Y = [0, 1, 2, 3, 4, 7]
W = [1.0, 2.0, 3.0, 4.0, 5.0, 1.5, 0.5, 2.5]
SOFT = np.abs(X) / np.abs(X).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "mistake", "arguments", "options"),
    [
        ("permuted_classes_keep_result", Mistake(tail_dropped), (X, Y), {}),
        ("permuted_rows_keep_result", Mistake(next_label), (X, Y), {}),
        ("split_batch_keeps_result", Mistake(chunk_means), (X, [0, 1, -100, 3, 4, 7]), {}),
        ("split_batch_keeps_result", Mistake(divided_by_all_rows), (X, Y), {"weight": W}),
        ("ignored_rows_can_be_dropped", Mistake(divided_by_all_rows), (X, [0, -100, 2, -100, 4, 5]), {}),
        ("ignored_rows_can_be_dropped", Mistake(ignored_rows_counted), (X, [0, -100, 2, -100, 4, 5]), {"reduction": "none"}),
        ("scaled_weights_scale_loss", Mistake(weights_softened), (X, Y), {"weight": W}),
        ("loss_is_linear_in_probabilities", Mistake(largest_class), (X, SOFT), {}),
        ("spatial_axes_can_be_flattened", Mistake(spatial_order), (CUBE, [[0, 1, 2], [3, 4, 0]]), {}),
        ("permuted_rows_keep_result", Mistake(previous_row, "softmax"), (X,), {"axis": 1}),
        ("split_batch_keeps_result", Mistake(previous_row, "log_softmax"), (X,), {"axis": 1}),
        ("permuted_classes_keep_result", Mistake(first_class_special, "softmax"), (X,), {"axis": 1}),
    ],
)
def test_it_finds_the_mistake_that_it_is_about(
    name: str, mistake: Mistake, arguments: tuple[Any, ...], options: dict[str, Any], dtype: str
) -> None:
    case = case_of(mistake.operation, *arguments, dtype=dtype, **options)
    relation = named(mistake.operation, name)
    assert relation.applies(case)
    assert ratio(relation, case, mistake) > 1
    assert ratio(relation, case, HONEST["two passes, lse"].pair(mistake.operation)[0]) <= 1


G = [1.0, -2.0, 0.5, 3.0, 1.0, 4.0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "mistake", "arguments", "options"),
    [
        ("shifted_row_keeps_gradient", MistakenGradient(gradient_by_its_own_softmax), (X, Y), {"upstream": 2.0}),
        ("permuted_classes_permute_gradient", MistakenGradient(gradient_without_a_tail), (X, Y), {"upstream": 2.0}),
        ("permuted_rows_permute_gradient", MistakenGradient(gradient_by_the_first_upstream), (X, Y), {"upstream": G, "reduction": "none"}),
        ("split_batch_keeps_gradient", MistakenGradient(gradient_of_chunks), (X, Y), {"upstream": 2.0}),
        ("dropped_rows_keep_gradient", MistakenGradient(gradient_divided_by_all_rows), (X, [0, -100, 2, -100, 4, 5]), {"upstream": 2.0}),
        (
            "scaled_weights_scale_gradient",
            MistakenGradient(gradient_by_unscaled_weights),
            (X, Y),
            {"upstream": G, "weight": W, "reduction": "none"},
        ),
        ("gradient_is_linear_in_probabilities", MistakenGradient(probabilities_that_add_up_to_one), (X, SOFT), {"upstream": 2.0}),
        ("flattened_axes_keep_gradient", MistakenGradient(gradient_in_spatial_order), (CUBE, [[0, 1, 2], [3, 4, 0]]), {"upstream": 2.0}),
        (
            "permuted_rows_permute_gradient",
            MistakenGradient(gradient_by_the_first_upstream, "softmax"),
            (X,),
            {"upstream": X[::-1], "axis": 1},
        ),
        (
            "split_batch_keeps_gradient",
            MistakenGradient(gradient_by_the_first_upstream, "log_softmax"),
            (X,),
            {"upstream": X[::-1], "axis": 1},
        ),
        (
            "permuted_classes_permute_gradient",
            MistakenGradient(gradient_without_a_tail, "log_softmax"),
            (X,),
            {"upstream": X + 1, "axis": 1},
        ),
        ("gradient_rows_sum_to_zero", MistakenGradient(upstream_not_subtracted, "softmax"), (X,), {"upstream": X, "axis": 1}),
        ("gradient_rows_sum_to_zero", MistakenGradient(gradient_without_a_tail, "log_softmax"), (X,), {"upstream": X, "axis": 1}),
        ("permuted_classes_permute_gradient", MistakenGradient(gradient_without_a_tail, "nll_loss"), (X, Y), {"upstream": 2.0}),
        (
            "dropped_rows_keep_gradient",
            MistakenGradient(gradient_divided_by_all_rows, "nll_loss"),
            (X, [0, -100, 2, 3, 4, 5]),
            {"upstream": 2},
        ),
    ],
)
def test_it_finds_the_mistaken_gradient_that_it_is_about(
    name: str, mistake: MistakenGradient, arguments: tuple[Any, ...], options: dict[str, Any], dtype: str
) -> None:
    case = case_of(mistake.operation, *arguments, dtype=dtype, **options)
    relation = named(mistake.operation, name)
    forward, backward = HONEST["two passes, lse"].pair(mistake.operation)
    assert relation.gradient
    assert relation.applies(case)
    assert ratio(relation, case, forward, mistake) > 1
    assert ratio(relation, case, forward, backward) <= 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", ["cross_entropy", "log_softmax", "softmax"])
def test_a_shift_finds_a_maximum_that_is_not_subtracted(operation: str, dtype: str) -> None:
    arguments = (X, Y) if operation == "cross_entropy" else (X,)
    case = case_of(operation, *arguments, dtype=dtype, **({} if operation == "cross_entropy" else {"axis": 1}))
    relation = named(operation, "shifted_row_keeps_result")
    assert relation.applies(case)
    assert ratio(relation, case, INACCURATE["no maximum subtracted"].pair(operation)[0]) > 1


def test_strides_that_are_not_looked_at_are_found() -> None:
    case = with_layout(case_of("cross_entropy", X, Y), 1)
    relation = named("cross_entropy", "layout_keeps_result")
    assert relation.applies(case)
    assert ratio(relation, case, Mistake(as_contiguous)) > 1


def test_strides_that_backward_does_not_look_at_are_found() -> None:
    case = with_layout(case_of("cross_entropy", X, Y, upstream=2.0), 1)
    relation = named("cross_entropy", "layout_keeps_gradient")
    assert relation.applies(case)
    assert ratio(relation, case, Mistake(as_contiguous), MistakenGradient(gradient_as_contiguous)) > 1


def test_values_are_compared_without_an_upstream_gradient_and_gradients_are_not() -> None:
    case = case_of("cross_entropy", X, Y)
    assert named("cross_entropy", "permuted_rows_keep_result").applies(case)
    assert not named("cross_entropy", "permuted_rows_permute_gradient").applies(case)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "options", [{}, {"label_smoothing": 0.3}, {"weight": W, "reduction": "sum"}, {"reduction": "none", "upstream": [1, -2, 0.5, 3, 1, 4]}]
)
def test_a_gradient_that_scales_one_part_only_is_found(dtype: str, options: dict[str, Any]) -> None:
    def one_part_only(grad_output: Array, logits: Array, target: Array, **given: Any) -> Array:
        gradient = backward(grad_output, logits, target, **given).copy()
        gradient[np.arange(len(target)), target] *= gradient.dtype.type(1.25)
        return gradient

    forward, backward = HONEST["two passes, lse"].pair("cross_entropy")
    case = case_of("cross_entropy", X, Y, dtype=dtype, **{"upstream": 2.0, **options})
    relation = named("cross_entropy", "gradient_rows_sum_to_zero")
    assert relation.gradient
    assert relation.applies(case)
    assert ratio(relation, case, forward, one_part_only) > 1
    assert ratio(relation, case, forward, backward) <= 1


@pytest.mark.parametrize(
    ("name", "arguments", "options"),
    [
        ("shifted_row_keeps_result", ([[np.nan, 0.0]], [0]), {}),
        ("shifted_row_keeps_result", ([[0.0, -np.inf]], [0]), {}),
        ("shifted_row_keeps_result", ([[3e38, 2.9e38]], [0]), {}),
        ("permuted_classes_keep_result", ([[1.0]], [0]), {}),
        ("permuted_rows_keep_result", (X[0], 0), {}),
        ("permuted_rows_keep_result", (X[:1], Y[:1]), {}),
        ("split_batch_keeps_result", (X[:2], [0, -100]), {}),
        ("split_batch_keeps_result", (X[:4], [0, 1, 0, 0]), {"weight": [-1.0, 2.0, 1, 1, 1, 1, 1, 1]}),
        ("ignored_rows_can_be_dropped", (X, Y), {}),
        ("ignored_rows_can_be_dropped", (X, [-100] * 6), {}),
        ("ignored_rows_can_be_dropped", (X, SOFT), {}),
        ("scaled_weights_scale_loss", (X, Y), {}),
        ("scaled_weights_scale_loss", (X, Y), {"weight": [3e38, 1.2e-38, 1, 1, 1, 1, 1, 1]}),
        ("loss_is_linear_in_probabilities", (X, Y), {}),
        ("loss_is_linear_in_probabilities", (X, [[3e38, *row[1:]] for row in SOFT]), {"reduction": "sum"}),
        ("spatial_axes_can_be_flattened", (X, Y), {}),
        ("layout_keeps_result", (X, Y), {}),
        ("gradient_rows_sum_to_zero", (X, Y), {}),
    ],
)
def test_its_exceptions_are_left_out(name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    assert not named("cross_entropy", name).applies(case_of("cross_entropy", *arguments, **options))


def test_an_ignored_class_is_permuted_with_the_others() -> None:
    case = case_of("cross_entropy", X, Y, ignore_index=3)
    relation = named("cross_entropy", "permuted_classes_keep_result")
    assert relation.applies(case)
    assert ratio(relation, case, HONEST["two passes, lse"].pair("cross_entropy")[0]) <= 1
