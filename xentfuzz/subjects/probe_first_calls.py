"""Where a probe begins: the commonest call of an operation, and what is tried in its place where that is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from xentfuzz.operations.operation import Operation
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.sample import Sample

FEW_ROWS, FEW_CLASSES = 3, 5
LARGE_CLASS_COUNT = 128


def first_calls(operation: Operation, declared: Capabilities) -> Iterator[Sample]:
    """The commonest call, then those that differ from it in one respect; all within what is declared."""
    dtypes, ranks = declared.dtypes, declared.ranks
    first = Sample(
        operation,
        dtype="float32" if "float32" in dtypes else dtypes[0],
        rank=2 if 2 in ranks else ranks[0],
        targets=declared.targets[0] if declared.targets else "index",
        target_dtype=declared.target_dtypes[0] if declared.target_dtypes else "int64",
        classes=_few_classes(declared),
        rows=min(FEW_ROWS, declared.largest_row_count or FEW_ROWS),
        options=_options_in_force(operation, declared),
    )
    most = declared.largest_class_count or LARGE_CLASS_COUNT
    yield first
    yield from _other_axes(first, declared)
    # One launch configuration of many may fail.
    yield replace(first, rows=min(2, first.rows), classes=3 * first.classes if 3 * first.classes <= most else 1)
    if "probabilities" in declared.targets:
        yield replace(first, targets="probabilities")
    if declared.targets:
        yield replace(first, target_dtype="int32")
    yield from (replace(first, dtype=dtype) for dtype in dtypes if dtype != first.dtype)
    yield from (replace(first, rank=rank) for rank in (1, 3) if rank in ranks)
    yield replace(first, classes=min(LARGE_CLASS_COUNT, most))


def _few_classes(declared: Capabilities) -> int:
    few, divisor = min(FEW_CLASSES, declared.largest_class_count or FEW_CLASSES), declared.class_count_divisor
    return max(divisor, few - few % divisor)


def _other_axes(first: Sample, declared: Capabilities) -> Iterator[Sample]:
    """Kernels of matrices may take axis 1 alone, and not under the name of -1."""
    always = [option.name for option in first.operation.options if option.always and declared.options.get(option.name, ()) is None]
    yield from (replace(first, options={**first.options, name: axis}) for name in always for axis in (1, 0) if axis < first.rank)


def _options_in_force(operation: Operation, declared: Capabilities) -> dict[str, Any]:
    """What must be given beside the defaults: the first value of each option whose default is not declared."""
    defaults = operation.defaults
    return {name: values[0] for name, values in declared.options.items() if values and defaults[name] not in values}
