"""Cases made from another one: other values of the same shape, more rows, another reduction or dtype."""

from __future__ import annotations

import math

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.protocol import loss_dtype
from xentfuzz.checks.trial import Array, Trial
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.options import REDUCTION, REDUCTIONS
from xentfuzz.operations.roles import (
    has_labels,
    ignored_label,
    is_overridden,
    never_ignores,
    reductions_taken,
    target_kind,
    target_name,
    target_of,
    weight_name,
    with_reduction,
)
from xentfuzz.operations.rows import class_axis


def with_arrays(case: Case, **arrays: Array) -> Case:
    """The case with some arrays replaced by plain ones."""
    laid_out = {name: StridedArray.of(values) for name, values in arrays.items()}
    return Case(case.operation, case.dtype, {**case.arrays, **laid_out}, case.options)


def plain(case: Case) -> Case:
    """The same values, every array C-contiguous in memory of its own."""
    return with_arrays(case, **case.values)


def in_loss_dtype(trial: Trial, case: Case) -> Case:
    """The case with its upstream gradient in the dtype that backward gets it in."""
    upstream = case.values.get("grad_output")
    return case if upstream is None else with_arrays(case, grad_output=upstream.astype(numpy_dtype(loss_dtype(trial, case))))


def axis_of_classes(case: Case) -> int:
    return class_axis(next(iter(case.values.values())).shape, case.options)


def class_count(case: Case) -> int:
    return int(next(iter(case.values.values())).shape[axis_of_classes(case)])


def other_values(trial: Trial, case: Case) -> Case:
    """Other data of the same shape: every array reversed and halved, every label the next one; one more row is ignored."""
    first = next(iter(case.arrays))
    arrays = {name: _other(case, name, values, is_first=name == first) for name, values in case.values.items()}
    if has_labels(case):
        arrays[target_name(case.operation)] = _other_labels(case, may_ignore=not never_ignores(trial.subject.capabilities.options))
    return with_arrays(case, **arrays)


def _other(case: Case, name: str, values: Array, *, is_first: bool) -> Array:
    if name == target_name(case.operation):
        return np.flip(values, axis_of_classes(case)) if target_kind(case) == "probabilities" else values
    flipped: Array = np.flip(values, axis_of_classes(case) if is_first else None) * values.dtype.type(0.5)
    # Weights of both signs might cancel for other labels.
    return np.abs(flipped) if name == weight_name(case.operation) else flipped


def _other_labels(case: Case, *, may_ignore: bool) -> Array:
    labels, ignored = target_of(case), ignored_label(case)
    kept = labels != ignored
    classes = class_count(case)
    changed = np.where(kept, (labels.astype(np.int64) + 1) % max(classes, 1), labels.astype(np.int64))
    if may_ignore and np.count_nonzero(kept) > 1 and labels.dtype == np.int64:
        changed.reshape(-1)[np.flatnonzero(kept)[0]] = ignored
    return changed.astype(labels.dtype)


def other_reductions(trial: Trial, case: Case) -> list[Case]:
    """The same case under every other reduction; its upstream gradient may not fit any more."""
    given = case.options.get(REDUCTION.name)
    taken = reductions_taken(trial.subject.capabilities.options)
    allowed = REDUCTIONS if taken is None else taken
    # Older options override the reduction.
    if given is None or is_overridden(case):
        return []
    return [with_reduction(case, other) for other in allowed if other != given]


def taller(case: Case, elements: int, most_rows: int | None) -> Case | None:
    """The case repeated along its batch axis until it has about so many elements, or `most_rows` rows where there is such a limit.

    None without a batch axis, or where it is as large already.
    """
    first = next(iter(case.values.values()))
    copies = elements // max(first.size, 1)
    if most_rows is not None and first.size:
        copies = min(copies, most_rows * first.shape[axis_of_classes(case)] // first.size)
    if first.ndim < 2 or copies < 2 or not first.size:
        return None
    axis = 1 if axis_of_classes(case) == 0 else 0
    return with_arrays(case, **{name: _tiled(case.values[name], first, axis, copies) for name in _of_each_row(case)})


def _of_each_row(case: Case) -> list[str]:
    """The arrays that are longer where there are more rows."""
    operation = get_operation(case.operation)
    rows = operation.arguments[0].axes[:1]
    apart = {argument.name for argument in operation.arguments if argument == operation.weight or argument.axes[:1] != rows}
    return [name for name in case.values if name not in apart]


def with_many_rows(trial: Trial, case: Case, elements: int) -> Case | None:
    """The case repeated until it has about so many elements, fewer where calls are slow; None in a simulator, and see `taller`."""
    if trial.subject.implementation.simulator:
        return None
    declared = trial.subject.capabilities.largest_row_count
    rows = min(trial.affordable.rows, math.inf if declared is None else declared)
    return taller(case, int(min(elements, trial.affordable.elements)), None if rows == math.inf else int(rows))


def _tiled(values: Array, first: Array, axis: int, copies: int) -> Array:
    """Labels, losses and upstream gradients of losses have the batch first, as such operations have."""
    if values.ndim == 0:
        return values
    along = axis if values.shape == first.shape else 0
    return np.concatenate([values] * copies, axis=along)


def of_dtype(case: Case, dtype: str) -> Case:
    """The same values in another floating-point format."""
    wanted = numpy_dtype(dtype)
    labels = target_name(case.operation) if has_labels(case) else ""
    with np.errstate(all="ignore"):
        arrays = {name: StridedArray.of(values if name == labels else values.astype(wanted)) for name, values in case.values.items()}
    return Case(case.operation, dtype, arrays, case.options)
