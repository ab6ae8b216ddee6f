"""Cases made from a case: shifted, permuted, split, scaled, laid out in another way; and how their results become its own.

Every transformation is exact on the stored bits; where that is impossible there is none. An upstream gradient goes along with what it
belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import gcd
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FORMATS, numpy_dtype
from xentfuzz.operations.case import Case
from xentfuzz.operations.derived_cases import derived, first_argument, has_a_mean, has_index_targets, kept_rows, row_weights
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.relation import Array
from xentfuzz.operations.worst_case import rows_of

# A shift by this much overflows, or loses, every exponential of a kernel that does not subtract the row's maximum.
LARGE_SHIFT = {"float16": 256.0, "bfloat16": 256.0, "float32": 256.0, "float64": 1024.0}
# Powers of two that a weight is multiplied by: the first that keeps every weight exact.
WEIGHT_SCALES = (3, -3, 1, -1)

# Results of cases as rows -> that of another case as rows.
Combine = Callable[[Sequence[Array]], Array]


def _same(results: Sequence[Array]) -> Array:
    (result,) = results
    return result


@dataclass(frozen=True)
class Transformed:
    """Two ways to the results of `base`: directly, and from those of `others`.

    of_value: the values of `others` as rows -> that of `base` as rows; of_gradient: the same for the gradients of the first argument. Both
    are linear with coefficients of at least 0, so that bounds go the same way.
    """

    base: Case
    others: tuple[Case, ...]
    of_value: Combine = _same
    of_gradient: Combine = _same


Transform = Callable[[Case], Transformed | None]


def _changed(case: Case, arrays: Mapping[str, Array] | None = None, **options: Any) -> Case:
    """The case with other arrays or options and, unless it is among them, its own upstream gradient."""
    changed = derived(case, arrays, **options)
    if "grad_output" not in case.arrays or "grad_output" in changed.arrays:
        return changed
    return replace(changed, arrays={**changed.arrays, "grad_output": case.arrays["grad_output"]})


def _reduces(case: Case) -> bool:
    return "reduction" in case.options and effective_reduction(case.options) != "none"


def _is_softmax(case: Case) -> bool:
    """Whether values and upstream gradients have the shape of the first argument, and not one entry for each row or for all."""
    return "axis" in case.options


def _first(case: Case) -> str:
    return next(iter(case.values))


# ---- shift of a row


def shifted(case: Case) -> Transformed | None:
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
    return Transformed(_changed(case, {"logits": x.astype(dtype)}), (_changed(case, {"logits": moved.astype(dtype)}),))


# ---- permutations


def _permutation(count: int) -> Array:
    """Where each of `count` places goes: far away, no place stays where it is if there are two or more."""
    step = next(step for step in range(max(1, round(0.618 * count)), count + 1) if gcd(step, count) == 1)
    places: Array = (np.arange(count) * step + (count > 1)) % count
    if count > 1 and (places == np.arange(count)).any():
        places = (np.arange(count) + 1) % count
    return places


def permuted_classes(case: Case) -> Transformed | None:
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
    if "grad_output" in case.values and _is_softmax(case):
        arrays["grad_output"] = np.take(case.values["grad_output"], comes_from, axis=rows.axis)

    def back(results: Sequence[Array]) -> Array:
        return results[0][:, goes_to]

    return Transformed(_changed(case), (_changed(case, arrays, **options),), back if _is_softmax(case) else _same, back)


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
    if "grad_output" in case.values and not _reduces(case):
        arrays["grad_output"] = change(case.values["grad_output"], axis)
    return _changed(case, arrays)


def _row_numbers(case: Case) -> Array:
    """The number of each row, in the shape of the positions."""
    rows = rows_of(case)
    return np.arange(rows.count).reshape(rows.positions)


def _position_axis(case: Case) -> int:
    """The batch axis among the axes of the positions: always the first of them."""
    axis = _batch_axis(case)
    return axis - (axis > rows_of(case).axis)


def permuted_rows(case: Case) -> Transformed | None:
    first = first_argument(case)
    if first.ndim < 2 or first.shape[_batch_axis(case)] < 2:
        return None
    goes_to = _permutation(first.shape[_batch_axis(case)])
    comes_from = np.argsort(goes_to)
    numbers = np.take(_row_numbers(case), goes_to, axis=_position_axis(case)).reshape(-1)

    def back(results: Sequence[Array]) -> Array:
        permuted: Array = results[0][numbers]
        return permuted

    other = _with_batch(case, lambda array, axis: np.take(array, comes_from, axis=axis))
    return Transformed(_changed(case), (other,), _same if _reduces(case) else back, back)


# ---- parts of a batch


def split(case: Case) -> Transformed | None:
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

    places_of_rows = np.argsort(numbers)

    def scaled(results: Sequence[Array]) -> list[Array]:
        return [result * factor for result, factor in zip(results, factors, strict=True)]

    def total(results: Sequence[Array]) -> Array:
        return np.asarray(sum(scaled(results)))

    def together(results: Sequence[Array]) -> Array:
        joined: Array = np.concatenate(scaled(results))[places_of_rows]
        return joined

    return Transformed(_changed(case), parts, total if _reduces(case) else together, together)


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


def without_ignored(case: Case) -> Transformed | None:
    """The rows that are kept, as (rows, classes)."""
    if not has_index_targets(case) or first_argument(case).ndim < 2:
        return None
    kept = kept_rows(case)
    if kept.all() or not kept.any():
        return None
    rows = rows_of(case)
    arrays = {_first(case): rows.take(first_argument(case), slice(0, rows.count))[kept], "target": case.values["target"].reshape(-1)[kept]}
    if "grad_output" in case.values and not _reduces(case):
        arrays["grad_output"] = case.values["grad_output"].reshape(-1)[kept]

    def spread(results: Sequence[Array]) -> Array:
        whole = np.zeros((*kept.shape, *results[0].shape[1:]), results[0].dtype)
        whole[kept] = results[0]
        return whole

    return Transformed(_changed(case), (_changed(case, arrays),), _same if _reduces(case) else spread, spread)


# ---- weights and targets


def scaled_weights(case: Case) -> Transformed | None:
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

    def back(results: Sequence[Array]) -> Array:
        return results[0] * factor

    return Transformed(_changed(case), (_changed(case, {"weight": scaled}),), back, back)


def _exact(values: Array, dtype: str) -> bool:
    """Whether values that have the dtype's digits have its exponent range too, on both sides of 0."""
    size = np.abs(values[values != 0])
    return bool(((size <= FORMATS[dtype].max) & (size >= FORMATS[dtype].smallest_normal)).all())


def parted_probabilities(case: Case) -> Transformed | None:
    """t = (s + s') / 2, where s doubles the probabilities of every other class and s' those of the classes in between."""
    if has_index_targets(case) or rows_of(case).classes < 2:
        return None
    target, rows = case.values["target"].astype(np.float64), rows_of(case)
    if not _exact(2 * target, case.dtype):
        return None
    even = np.moveaxis(np.broadcast_to(np.arange(rows.classes) % 2 == 0, (*rows.positions, rows.classes)), -1, rows.axis)
    parts = (np.where(even, 2 * target, 0.0), np.where(even, 0.0, 2 * target))
    others = tuple(_changed(case, {"target": part.astype(numpy_dtype(case.dtype))}) for part in parts)

    def mean(results: Sequence[Array]) -> Array:
        return (results[0] + results[1]) / 2

    return Transformed(_changed(case), others, mean, mean)


# ---- shapes and layouts


def flattened(case: Case) -> Transformed | None:
    """(N, C, d1, ...) as (N * d1 * ..., C)."""
    rows = rows_of(case)
    if first_argument(case).ndim < 3:
        return None
    arrays = {_first(case): rows.take(first_argument(case), slice(0, rows.count))}
    if "target" in case.values:
        target = case.values["target"]
        arrays["target"] = target.reshape(-1) if has_index_targets(case) else rows.take(target, slice(0, rows.count))
    if "grad_output" in case.values and not _reduces(case):
        upstream = case.values["grad_output"]
        arrays["grad_output"] = rows.take(upstream, slice(0, rows.count)) if _is_softmax(case) else upstream.reshape(-1)
    axis = {"axis": 1} if _is_softmax(case) else {}
    return Transformed(_changed(case), (_changed(case, arrays, **axis),))


def contiguous(case: Case) -> Transformed | None:
    base = _changed(case)
    if all(array.view().flags.c_contiguous for array in base.arrays.values()):
        return None
    plain = {name: StridedArray.of(array.view()) for name, array in base.arrays.items()}
    return Transformed(base, (replace(base, arrays=plain),))
