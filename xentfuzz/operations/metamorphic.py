"""Relations between the results of a case and those of cases made from it, see `transformations.py`, values and gradients alike.

They need no exact result: what is allowed is the sum of the closed-form bounds of `worst_case.py` and `worst_case_gradient.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xentfuzz.dtypes import dtype_name
from xentfuzz.operations.case import Case
from xentfuzz.operations.derived_cases import Judgement, comparable, derived, is_ordinary, mean_is_defined
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.relation import Array, Call, Relation
from xentfuzz.operations.transformations import (
    Combine,
    Transform,
    contiguous,
    flattened,
    parted_probabilities,
    permuted_classes,
    permuted_rows,
    scaled_weights,
    shifted,
    split,
    without_ignored,
)
from xentfuzz.operations.worst_case import bound_of_value, rows_of
from xentfuzz.operations.worst_case_gradient import bound_of_gradient, bound_of_gradient_sum


def _of_values(transform: Transform) -> Callable[[Case, Call, Grade], Judgement]:
    def judge(case: Case, call: Call, grade: Grade) -> Judgement:
        found = transform(derived(case))
        assert found is not None
        results = [_value_and_bound(one, call, grade) for one in (found.base, *found.others)]
        return _judgement(results, found.of_value)

    return judge


def _of_gradients(transform: Transform) -> Callable[[Case, Call, Grade], Judgement]:
    def judge(case: Case, call: Call, grade: Grade) -> Judgement:
        found = transform(case)
        assert found is not None
        results = [_gradient_and_bound(one, call, grade) for one in (found.base, *found.others)]
        return _judgement(results, found.of_gradient)

    return judge


def _judgement(results: Sequence[tuple[Array, Array]], combine: Combine) -> Judgement:
    """Of results and their bounds, the first directly, the others combined."""
    values, bounds = zip(*results, strict=True)
    left, right = values[0], combine(values[1:])
    # Combining was done in extended precision or float64.
    rounding = np.where(np.isfinite(right), 2.0**-51 * np.abs(right), 0.0)
    allowed = (bounds[0] + combine(bounds[1:]) + rounding).astype(np.float64)
    return comparable(left, right, allowed, np.isfinite(allowed))


def _value_and_bound(case: Case, call: Call, grade: Grade) -> tuple[Array, Array]:
    """As (rows, classes) of a softmax, (rows,) of row losses, (1,) of a reduced loss; the value in extended precision."""
    got = call(case.operation, case)
    value = _as_rows(case, got) if "axis" in case.options else got.astype(np.longdouble).reshape(-1)
    return value, np.broadcast_to(bound_of_value(case, dtype_name(got.dtype), grade), value.shape)


def _gradient_and_bound(case: Case, call: Call, grade: Grade) -> tuple[Array, Array]:
    """As (rows, classes), the gradient in extended precision."""
    gradient = _as_rows(case, call(case.operation, case, "backward"))
    return gradient, np.broadcast_to(bound_of_gradient(case, grade), gradient.shape)


def _as_rows(case: Case, array: Array) -> Array:
    rows = rows_of(case)
    return rows.take(np.asarray(array).astype(np.longdouble), slice(0, rows.count))


def _is_defined(case: Case) -> bool:
    """Whether the case is an ordinary one, with a mean if it asks for one."""
    return is_ordinary(case) and ("reduction" not in case.options or mean_is_defined(case))


def _has_a_gradient(case: Case) -> bool:
    return _is_defined(case) and "grad_output" in case.values


def _judge_gradient_sum(case: Case, call: Call, grade: Grade) -> Judgement:
    allowed = bound_of_gradient_sum(case, grade)
    # Where nothing is said, infinities of both signs may be added up.
    with np.errstate(all="ignore"):
        total = _as_rows(case, call(case.operation, case, "backward")).sum(axis=1)
    return comparable(total, np.zeros_like(total), allowed, np.isfinite(allowed))


def _both(names: tuple[str, str], transform: Transform, value: str, gradient: str, draws: dict[str, Any]) -> tuple[Relation, Relation]:
    """What a transformation does to values, and what it does to gradients. value, gradient: the explanations."""

    def of_value(case: Case) -> bool:
        return _is_defined(case) and transform(derived(case)) is not None

    def of_gradient(case: Case) -> bool:
        return _has_a_gradient(case) and transform(case) is not None

    explained = [f"{explanation}\n\n{ALLOWED}" for explanation in (value, gradient)]
    return (
        Relation(names[0], explained[0], of_value, _of_values(transform), cost=COST, draws=draws),
        Relation(names[1], explained[1], of_gradient, _of_gradients(transform), gradient=True, cost=COST, draws=draws),
    )


COST = "relation"
ALLOWED = (
    "Allowed is the sum of the worst-case bounds of all calls, which need no exact result, so that it holds at any size; the "
    "transformation is exact on the stored bits. For finite logits, where the mean is defined."
)
# A group of relations that are drawn alike gets as many cases as the one that applies to the fewest of them needs.
ANY: dict[str, Any] = {}
BATCH = {"ranks": (2, 3, 4)}

SHIFT = _both(
    ("shifted_row_keeps_result", "shifted_row_keeps_gradient"),
    shifted,
    "A constant added to all logits of a row changes nothing. The logits are rounded to a grid on which the sums are exact; the shifts "
    "are large enough to overflow, or to lose, every exponential of an implementation that does not subtract the maximum.",
    "A constant added to all logits of a row leaves every gradient as it is. Logits and shifts are those of shifted_row_keeps_result; a "
    "backward that computes its own softmax, or that uses a stored normaliser in another format, shows.",
    ANY,
)
CLASS_PERMUTATION = _both(
    ("permuted_classes_keep_result", "permuted_classes_permute_gradient"),
    permuted_classes,
    "The order of the classes is arbitrary: with logits, targets, weight and an ignored class permuted alike, losses stay the same and a "
    "softmax is permuted too. A tail that is dropped, or a class that is special by its place, shows.",
    "Logits, targets, weight, an ignored class and the upstream gradient of a softmax permuted along the classes permute the gradient. A "
    "tail of the row that backward does not write, or a label that it looks up in the wrong place, shows.",
    ANY,
)
ROW_PERMUTATION = _both(
    ("permuted_rows_keep_result", "permuted_rows_permute_gradient"),
    permuted_rows,
    "Rows are independent: permuting the batch permutes the results of the rows and leaves sum and mean as they are. A row that reads its"
    " neighbour's label, weight or maximum shows.",
    "Permuting the batch, its upstream gradients with it, permutes the rows of the gradient. A row that is scaled by its neighbour's "
    "upstream gradient, or that reads its label or statistics, shows.",
    BATCH,
)
SPLIT = _both(
    ("split_batch_keeps_result", "split_batch_keeps_gradient"),
    split,
    "A batch in two uneven parts gives the same rows, the sum of their sums, and the mean of their means weighted with their denominators"
    " (kept rows, or the weights of their targets). A mean of chunk means, or a state carried from row to row, shows.",
    "A batch in two uneven parts gives the same gradients, under the mean weighted with the parts' denominators. A gradient that is "
    "divided by the rows of a chunk, or accumulated from row to row, shows.",
    BATCH,
)
WITHOUT_IGNORED = _both(
    ("ignored_rows_can_be_dropped", "dropped_rows_keep_gradient"),
    without_ignored,
    "A batch without its ignored rows has the same sum and mean, and the same losses where rows are kept; an ignored row's loss is 0.",
    "A batch without its ignored rows has the same gradients where rows are kept; those of ignored rows are exactly 0. A mean's gradient "
    "that is divided by all rows shows.",
    {"ranks": (2, 3, 4), "targets": ("index",)},
)
SCALED_WEIGHTS = _both(
    ("scaled_weights_scale_loss", "scaled_weights_scale_gradient"),
    scaled_weights,
    "All weights times a power of two multiply none and sum, and the mean over probability targets, by it; the mean over class indices, "
    "which divides by the sum of the weights, keeps its value.",
    "All weights times a power of two multiply the gradients of none and sum, and of the mean over probability targets, by it; those of "
    "the mean over class indices stay as they are.",
    {"weight": True},
)
LINEARITY = _both(
    ("loss_is_linear_in_probabilities", "gradient_is_linear_in_probabilities"),
    parted_probabilities,
    "The loss is affine in probability targets: that of the mean of two targets is the mean of their losses, with smoothing and weights "
    "too. An implementation that normalises targets, or takes their largest class, differs.",
    "The gradient is affine in probability targets: that of the mean of two targets is the mean of their gradients. A backward that takes"
    " it for granted that probabilities add up to 1, softmax - target, differs.",
    {"targets": ("probabilities",)},
)
FLATTENED = _both(
    ("spatial_axes_can_be_flattened", "flattened_axes_keep_gradient"),
    flattened,
    "(N, C, d1, ...) gives what (N * d1 * ..., C) gives: every position is a row.",
    "The gradient of (N, C, d1, ...) is that of (N * d1 * ..., C): every position is a row.",
    {"ranks": (3, 4)},
)
LAYOUT = _both(
    ("layout_keeps_result", "layout_keeps_gradient"),
    contiguous,
    "Strided, transposed, reversed, offset or repeated arrays give what contiguous copies of them give.",
    "Strided, transposed, reversed, offset or repeated arrays, an upstream gradient too, give the gradients that contiguous copies of "
    "them give.",
    # Many arrays are contiguous: no other relation shall be drawn so often.
    {**BATCH, "weight": True},
)
GRADIENT_SUM = Relation(
    name="gradient_rows_sum_to_zero",
    explanation=(
        "A constant added to all logits changes nothing, so that the gradient of a row adds up to 0: r (S - S) for a loss, p (g - G) and "
        "g - p H for a softmax and its logarithm. Allowed is the sum of the worst-case bounds of its elements, which needs no exact "
        "result. An upstream gradient, a smoothing or a weight that reaches only "
        "one of the two parts shows. For finite logits, where the mean is defined."
    ),
    applies=_has_a_gradient,
    judge=_judge_gradient_sum,
    gradient=True,
    cost=COST,
    draws=ANY,
)

OF_SOFTMAX = (*SHIFT, *CLASS_PERMUTATION, *ROW_PERMUTATION, *SPLIT, *FLATTENED, *LAYOUT, GRADIENT_SUM)
OF_NLL_LOSS = (*CLASS_PERMUTATION, *ROW_PERMUTATION, *SPLIT, *WITHOUT_IGNORED, *SCALED_WEIGHTS, *FLATTENED, *LAYOUT)
OF_CROSS_ENTROPY = (*SHIFT, *OF_NLL_LOSS, *LINEARITY, GRADIENT_SUM)


def metamorphic_relations(relations: Sequence[Relation], options: Sequence[str]) -> tuple[Relation, ...]:
    """The relations for an operation, drawn with every value of these options."""
    drawn = dict.fromkeys(options)
    return tuple(replace(relation, draws={**relation.draws, "options": drawn}) for relation in relations)
