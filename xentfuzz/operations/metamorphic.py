"""Relations between the result of a case and those of cases made from it: shifted, permuted, split, scaled, laid out in another way.

They need no exact result: what is allowed is the sum of the closed-form bounds of `worst_case.py`. Every transformation is exact on the
stored bits; where that is impossible the relation does not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import gcd
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FORMATS, dtype_name, numpy_dtype
from xentfuzz.operations.case import Case
from xentfuzz.operations.derived_cases import (
    Judgement,
    comparable,
    derived,
    first_argument,
    has_a_mean,
    has_index_targets,
    is_ordinary,
    kept_rows,
    mean_is_defined,
    row_weights,
)
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.relation import Array, Call, Relation
from xentfuzz.operations.worst_case import bound_of_gradient_sum, bound_of_value, rows_of

# A shift by this much overflows, or loses, every exponential of a kernel that does not subtract the row's maximum.
LARGE_SHIFT = {"float16": 256.0, "bfloat16": 256.0, "float32": 256.0, "float64": 1024.0}
# Powers of two that a weight is multiplied by: the first that keeps every weight exact.
WEIGHT_SCALES = (3, -3, 1, -1)


@dataclass(frozen=True)
class Transformed:
    """Two ways to the value of `base`: directly, and from the values of `others`.

    combine: the values of `others` as rows -> that of `base` as rows; linear with coefficients of at least 0, so that bounds go the same
    way.
    """

    base: Case
    others: tuple[Case, ...]
    combine: Callable[[Sequence[Array]], Array]


Transform = Callable[[Case], Transformed | None]


def as_rows(case: Case, value: Array) -> Array:
    """A value as (rows, classes) of a softmax, (rows,) of row losses, (1,) of a reduced loss; in extended precision."""
    wide = np.asarray(value).astype(np.longdouble)
    if "axis" not in case.options:
        return wide.reshape(-1)
    rows = rows_of(case)
    return rows.take(wide, slice(0, rows.count))


def _judge(transform: Transform) -> Callable[[Case, Call, Grade], Judgement]:
    def judge(case: Case, call: Call, grade: Grade) -> Judgement:
        found = transform(case)
        assert found is not None
        values, bounds = zip(*(_value_and_bound(one, call, grade) for one in (found.base, *found.others)), strict=True)
        left, right = values[0], found.combine(values[1:])
        # Combining was done in extended precision or float64.
        rounding = np.where(np.isfinite(right), 2.0**-51 * np.abs(right), 0.0)
        allowed = (bounds[0] + found.combine(bounds[1:]) + rounding).astype(np.float64)
        return comparable(left, right, allowed, np.isfinite(allowed))

    return judge


def _value_and_bound(case: Case, call: Call, grade: Grade) -> tuple[Array, Array]:
    got = call(case.operation, case)
    value = as_rows(case, got)
    return value, np.broadcast_to(bound_of_value(case, dtype_name(got.dtype), grade), value.shape)


def _same(values: Sequence[Array]) -> Array:
    (value,) = values
    return value


def _first(case: Case) -> str:
    return next(iter(case.values))


# ---- shift of a row


def _shifted(case: Case) -> Transformed | None:
    """Logits rounded to a grid on which every sum with the shifts is exact, and the same with a shift for each row."""
    format_, rows = FORMATS[case.dtype], rows_of(case)
    x = first_argument(case).astype(np.float64)
    shift = max(LARGE_SHIFT[case.dtype], 2.0 ** np.ceil(np.log2(max(float(np.abs(x).max()), 1.0))))
    if 2 * shift > format_.max:
        return None
    grid = 2 * shift * 2.0**-format_.precision
    x = np.rint(x / grid) * grid
    shifts = np.resize(np.array([shift, -shift, shift / 4, -shift / 2]), rows.positions)
    moved = x + np.expand_dims(shifts, rows.axis)
    dtype = numpy_dtype(case.dtype)
    return Transformed(derived(case, {"logits": x.astype(dtype)}), (derived(case, {"logits": moved.astype(dtype)}),), _same)


# ---- permutations


def _permutation(count: int) -> Array:
    """Where each of `count` places goes: far away, no place stays where it is if there are two or more."""
    step = next(step for step in range(max(1, round(0.618 * count)), count + 1) if gcd(step, count) == 1)
    places: Array = (np.arange(count) * step + (count > 1)) % count
    if count > 1 and (places == np.arange(count)).any():
        places = (np.arange(count) + 1) % count
    return places


def _permuted_classes(case: Case) -> Transformed | None:
    rows = rows_of(case)
    if rows.classes < 2:
        return None
    goes_to = _permutation(rows.classes)
    comes_from = np.argsort(goes_to)
    arrays = {_first(case): np.take(first_argument(case), comes_from, axis=rows.axis)}
    options: dict[str, Any] = {}
    if "weight" in case.values:
        arrays["weight"] = case.values["weight"][comes_from]
    if "target" in case.values and has_index_targets(case):
        ignored, target = case.options["ignore_index"], case.values["target"]
        inside = 0 <= ignored < rows.classes
        moved = goes_to[np.where(kept_rows(case).reshape(target.shape), target, 0)]
        options["ignore_index"] = int(goes_to[ignored]) if inside else ignored
        arrays["target"] = np.where(kept_rows(case).reshape(target.shape), moved, options["ignore_index"]).astype(target.dtype)
    elif "target" in case.values:
        arrays["target"] = np.take(case.values["target"], comes_from, axis=rows.axis)

    def back(values: Sequence[Array]) -> Array:
        return values[0][:, goes_to] if "axis" in case.options else values[0]

    return Transformed(derived(case), (derived(case, arrays, **options),), back)


def _batch_axis(case: Case) -> int:
    """An axis of the first argument that is not that of the classes."""
    return 1 if rows_of(case).axis == 0 else 0


def _with_batch(case: Case, change: Callable[[Array, int], Array]) -> Case:
    """The case with every array that has a batch axis changed along it."""
    first = first_argument(case)
    axis = _batch_axis(case)
    arrays = {_first(case): change(first, axis)}
    if "target" in case.values:
        arrays["target"] = change(case.values["target"], 0)
    return derived(case, arrays)


def _row_numbers(case: Case) -> Array:
    """The number of each row, in the shape of the positions."""
    rows = rows_of(case)
    return np.arange(rows.count).reshape(rows.positions)


def _position_axis(case: Case) -> int:
    """The batch axis among the axes of the positions: always the first of them."""
    axis = _batch_axis(case)
    return axis - (axis > rows_of(case).axis)


def _permuted_rows(case: Case) -> Transformed | None:
    first = first_argument(case)
    if first.ndim < 2 or first.shape[_batch_axis(case)] < 2:
        return None
    goes_to = _permutation(first.shape[_batch_axis(case)])
    comes_from = np.argsort(goes_to)
    numbers = np.take(_row_numbers(case), goes_to, axis=_position_axis(case)).reshape(-1)

    def back(values: Sequence[Array]) -> Array:
        return values[0] if values[0].size == 1 and _reduces(case) else values[0][numbers]

    return Transformed(derived(case), (_with_batch(case, lambda array, axis: np.take(array, comes_from, axis=axis)),), back)


def _reduces(case: Case) -> bool:
    return "reduction" in case.options and effective_reduction(case.options) != "none"


# ---- parts of a batch


def _split(case: Case) -> Transformed | None:
    """Uneven parts of the batch, the mean of each weighted with its denominator."""
    first = first_argument(case)
    if first.ndim < 2 or first.shape[_batch_axis(case)] < 2:
        return None
    count = first.shape[_batch_axis(case)]
    places = (slice(0, max(1, count // 3)), slice(max(1, count // 3), count))
    parts = tuple(_with_batch(case, partial(_sliced, part=part)) for part in places)
    factors = _factors(case, parts)
    if factors is None:
        return None
    numbers = np.concatenate([_sliced(_row_numbers(case), _position_axis(case), part).reshape(-1) for part in places])

    def together(values: Sequence[Array]) -> Array:
        if _reduces(case):
            return np.asarray(sum(value * factor for value, factor in zip(values, factors, strict=True) if factor))
        return np.concatenate(values)[np.argsort(numbers)]

    return Transformed(derived(case), parts, together)


def _sliced(array: Array, axis: int, part: slice) -> Array:
    return array[(slice(None),) * axis + (part,)]


def _factors(case: Case, parts: Sequence[Case]) -> tuple[float, ...] | None:
    """What the loss of each part counts in that of the batch; None where weights of both signs make one negative."""
    if not _reduces(case) or effective_reduction(case.options) == "sum":
        return (1.0,) * len(parts)
    if not all(has_a_mean(part) for part in parts):
        return None
    total = float(row_weights(case).sum())
    factors = tuple(float(row_weights(part).sum()) / total for part in parts)
    return factors if min(factors) > 0 else None


def _without_ignored(case: Case) -> Transformed | None:
    """The rows that are kept, as (rows, classes)."""
    if not has_index_targets(case) or first_argument(case).ndim < 2:
        return None
    kept = kept_rows(case)
    if kept.all() or not kept.any():
        return None
    rows = rows_of(case)
    logits = rows.take(first_argument(case), slice(0, rows.count))[kept]
    other = derived(case, {_first(case): logits, "target": case.values["target"].reshape(-1)[kept]})

    def spread(values: Sequence[Array]) -> Array:
        if _reduces(case):
            return values[0]
        whole = np.zeros(kept.shape, values[0].dtype)
        whole[kept] = values[0]
        return whole

    return Transformed(derived(case), (other,), spread)


# ---- weights and targets


def _scaled_weights(case: Case) -> Transformed | None:
    """All weights times a power of two: the loss is multiplied with it, but for a mean over their sum."""
    if "weight" not in case.values:
        return None
    weight = case.values["weight"].astype(np.float64)
    power = next((power for power in WEIGHT_SCALES if _exact(np.ldexp(weight, power), case.dtype)), None)
    if power is None:
        return None
    divides = effective_reduction(case.options) == "mean" and has_index_targets(case)
    factor = 1.0 if divides else 2.0**-power
    scaled = np.ldexp(weight, power).astype(numpy_dtype(case.dtype))
    return Transformed(derived(case), (derived(case, {"weight": scaled}),), lambda values: values[0] * factor)


def _exact(values: Array, dtype: str) -> bool:
    """Whether values that have the dtype's digits have its exponent range too, on both sides of 0."""
    size = np.abs(values[values != 0])
    return bool(((size <= FORMATS[dtype].max) & (size >= FORMATS[dtype].smallest_normal)).all())


def _parted_probabilities(case: Case) -> Transformed | None:
    """t = (s + s') / 2, where s doubles the probabilities of every other class and s' those of the classes in between."""
    if has_index_targets(case) or rows_of(case).classes < 2:
        return None
    target, rows = case.values["target"].astype(np.float64), rows_of(case)
    if not _exact(2 * target, case.dtype):
        return None
    even = np.moveaxis(np.broadcast_to(np.arange(rows.classes) % 2 == 0, (*rows.positions, rows.classes)), -1, rows.axis)
    parts = (np.where(even, 2 * target, 0.0), np.where(even, 0.0, 2 * target))
    others = tuple(derived(case, {"target": part.astype(numpy_dtype(case.dtype))}) for part in parts)
    return Transformed(derived(case), others, lambda values: (values[0] + values[1]) / 2)


# ---- shapes and layouts


def _flattened(case: Case) -> Transformed | None:
    """(N, C, d1, ...) as (N * d1 * ..., C)."""
    rows = rows_of(case)
    if first_argument(case).ndim < 3:
        return None
    arrays = {_first(case): rows.take(first_argument(case), slice(0, rows.count))}
    if "target" in case.values:
        target = case.values["target"]
        arrays["target"] = target.reshape(-1) if has_index_targets(case) else rows.take(target, slice(0, rows.count))
    axis = {"axis": 1} if "axis" in case.options else {}
    return Transformed(derived(case), (derived(case, arrays, **axis),), _same)


def _contiguous(case: Case) -> Transformed | None:
    base = derived(case)
    if all(array.view().flags.c_contiguous for array in base.arrays.values()):
        return None
    plain = {name: StridedArray.of(array.view()) for name, array in base.arrays.items()}
    return Transformed(base, (replace(base, arrays=plain),), _same)


# ---- sum of the gradient


def _gradient_sum_applies(case: Case) -> bool:
    return is_ordinary(case) and "grad_output" in case.values and mean_is_defined(case)


def _judge_gradient_sum(case: Case, call: Call, grade: Grade) -> Judgement:
    rows = rows_of(case)
    gradient = rows.take(np.asarray(call(case.operation, case, "backward")).astype(np.longdouble), slice(0, rows.count))
    allowed = bound_of_gradient_sum(case, grade)
    total = gradient.sum(axis=1)
    return comparable(total, np.zeros_like(total), allowed, np.isfinite(allowed))


def _relation(name: str, transform: Transform, explanation: str, draws: dict[str, Any]) -> Relation:
    def applies(case: Case) -> bool:
        defined = "reduction" not in case.options or mean_is_defined(case)
        return is_ordinary(case) and defined and transform(case) is not None

    return Relation(name, f"{explanation}\n\n{ALLOWED}", applies, _judge(transform), (), cost=COST, draws=draws)


COST = "relation"
ALLOWED = (
    "Allowed is the sum of the worst-case bounds of all calls, which need no exact result, so that it holds at any size; the "
    "transformation is exact on the stored bits. For finite logits, where the mean is defined."
)
# A group of relations that are drawn alike gets as many cases as the one that applies to the fewest of them needs.
ANY: dict[str, Any] = {}
BATCH = {"ranks": (2, 3, 4)}

SHIFT = _relation(
    "shifted_row_keeps_result",
    _shifted,
    "A constant added to all logits of a row changes nothing. The logits are rounded to a grid on which the sums are exact; the shifts "
    "are large enough to overflow, or to lose, every exponential of an implementation that does not subtract the maximum.",
    ANY,
)
CLASS_PERMUTATION = _relation(
    "permuted_classes_keep_result",
    _permuted_classes,
    "The order of the classes is arbitrary: with logits, targets, weight and an ignored class permuted alike, losses stay the same and a "
    "softmax is permuted too. A tail that is dropped, or a class that is special by its place, shows.",
    ANY,
)
ROW_PERMUTATION = _relation(
    "permuted_rows_keep_result",
    _permuted_rows,
    "Rows are independent: permuting the batch permutes the results of the rows and leaves sum and mean as they are. A row that reads its "
    "neighbour's label, weight or maximum shows.",
    BATCH,
)
SPLIT = _relation(
    "split_batch_keeps_result",
    _split,
    "A batch in two uneven parts gives the same rows, the sum of their sums, and the mean of their means weighted with their denominators "
    "(kept rows, or the weights of their targets). A mean of chunk means, or a state carried from row to row, shows.",
    BATCH,
)
WITHOUT_IGNORED = _relation(
    "ignored_rows_can_be_dropped",
    _without_ignored,
    "A batch without its ignored rows has the same sum and mean, and the same losses where rows are kept; an ignored row's loss is 0.",
    {"ranks": (2, 3, 4), "targets": ("index",)},
)
SCALED_WEIGHTS = _relation(
    "scaled_weights_scale_loss",
    _scaled_weights,
    "All weights times a power of two multiply none and sum, and the mean over probability targets, by it; the mean over class indices, "
    "which divides by the sum of the weights, keeps its value.",
    {"weight": True},
)
LINEARITY = _relation(
    "loss_is_linear_in_probabilities",
    _parted_probabilities,
    "The loss is affine in probability targets: that of the mean of two targets is the mean of their losses, with smoothing and weights "
    "too. An implementation that normalises targets, or takes their largest class, differs.",
    {"targets": ("probabilities",)},
)
FLATTENED = _relation(
    "spatial_axes_can_be_flattened",
    _flattened,
    "(N, C, d1, ...) gives what (N * d1 * ..., C) gives: every position is a row.",
    {"ranks": (3, 4)},
)
LAYOUT = _relation(
    "layout_keeps_result",
    _contiguous,
    "Strided, transposed, reversed, offset or repeated arrays give what contiguous copies of them give.",
    # Many arrays are contiguous: no other relation shall be drawn so often.
    {**BATCH, "weight": True},
)
GRADIENT_SUM = Relation(
    name="gradient_rows_sum_to_zero",
    explanation=(
        "The gradient of a row adds up to r (S - S) = 0: a constant added to all logits changes no loss. Allowed is the sum of the "
        "worst-case bounds of its elements, which needs no exact result. An upstream gradient, a smoothing or a weight that reaches only "
        "one of the two parts shows. For finite logits, where the mean is defined."
    ),
    applies=_gradient_sum_applies,
    judge=_judge_gradient_sum,
    needs=(),
    gradient=True,
    cost=COST,
    draws=ANY,
)

OF_SOFTMAX = (SHIFT, CLASS_PERMUTATION, ROW_PERMUTATION, SPLIT, FLATTENED, LAYOUT)
OF_NLL_LOSS = (CLASS_PERMUTATION, ROW_PERMUTATION, SPLIT, WITHOUT_IGNORED, SCALED_WEIGHTS, FLATTENED, LAYOUT)
OF_CROSS_ENTROPY = (SHIFT, *OF_NLL_LOSS, LINEARITY, GRADIENT_SUM)


def metamorphic_relations(operation: str, relations: Sequence[Relation], options: Sequence[str]) -> tuple[Relation, ...]:
    """The relations for one operation, drawn with every value of these options."""
    drawn = dict.fromkeys(options)
    return tuple(replace(relation, needs=(operation,), draws={**relation.draws, "options": drawn}) for relation in relations)
