"""Checks of inputs of more than 2**31 elements, where offsets of 32 bits overflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.compare import Comparison, compare
from xentfuzz.checks.enlarged import HUGE, RESIZABLE, class_count, no_simulator, require_memory, require_taken, resized, rows_and_classes
from xentfuzz.checks.message import mismatch_message
from xentfuzz.checks.protocol import loss_dtype
from xentfuzz.checks.results import needs_gradient
from xentfuzz.checks.trial import Array, Trial, Unsupported, arguments_of, unwrap
from xentfuzz.dtypes import FORMATS, dtype_name
from xentfuzz.failures.failure import Failure, failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations.case import Case
from xentfuzz.operations.options import REDUCTION
from xentfuzz.operations.roles import weight_name, with_reduction
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.outcome import Call

BOUNDARY = 1 << 31
# With so many classes, 2**31 elements have more than 65,535 rows.
CLASSES_OF_MANY_ELEMENTS = 32_767
SECONDS = 600.0
# Arrays of the size of the logits that exist at one time: here, in the worker, and for the implementation's own results and intermediates.
COPIES = {"forward": 3, "backward": 5}
# Rows that differ from the others of the same values, which are compared with the exact result one by one.
MOST_COMPARED = 64


@dataclass(frozen=True)
class Size:
    """rows x classes > BOUNDARY. marks: rows with values of their own: those astride the boundary, 1/2 and 1/4 of it, and the last ones."""

    rows: int
    classes: int

    @property
    def marks(self) -> tuple[int, ...]:
        astride = (place // self.classes + step for place in (BOUNDARY, BOUNDARY // 2, BOUNDARY // 4) for step in (-1, 0, 1))
        last = range(self.rows - 2, self.rows)
        return tuple(sorted({row for row in (*astride, *last) if 0 < row < self.rows}))

    def __str__(self) -> str:
        return rows_and_classes(self.rows, self.classes)


def large_input(trial: Trial) -> Measure:
    return _large(trial, "forward")


def large_input_gradient(trial: Trial) -> Measure:
    return _large(trial, "backward")


def _large(trial: Trial, function: str) -> Measure:
    classes = class_count(trial.subject.capabilities, CLASSES_OF_MANY_ELEMENTS)
    if classes is None:
        return Measure(compared=False)
    size = Size(BOUNDARY // classes + 3, classes)
    few = _few_rows(trial.case, size)
    require_taken(trial, few)
    return _large_call(trial, size, few, function)


def _few_rows(case: Case, size: Size) -> Case:
    """The first row for all others, and the marked ones."""
    few = resized(case, 1 + len(size.marks), size.classes)
    if REDUCTION.name in few.options:
        few = with_reduction(few, "none")
        upstream = np.resize(few.values["grad_output"], 1 + len(size.marks)) if "grad_output" in few.values else None
        if upstream is not None:
            few = Case(few.operation, few.dtype, {**few.arrays, "grad_output": StridedArray.of(upstream)}, few.options)
    return few


def _large_call(trial: Trial, size: Size, few: Case, function: str) -> Measure:
    # A worker keeps the memory that earlier calls shared with it, and would keep that of this one.
    trial.subject.close()
    try:
        return _with_enough_memory(trial, size, few, function)
    finally:
        trial.subject.close()


def _with_enough_memory(trial: Trial, size: Size, few: Case, function: str) -> Measure:
    require_memory(COPIES[function] * size.rows * size.classes * FORMATS[few.dtype].bits // 8, str(size))
    arrays = {name: _spread(array, size, whole=name == weight_name(few.operation)) for name, array in few.arrays.items()}
    case = Case(few.operation, few.dtype, arrays, few.options)
    value_dtype = loss_dtype(trial, few)
    outcome = trial.subject.call(Call(function, arguments_of(function, case, value_dtype), case.options, SECONDS))
    if outcome.crash is not None and outcome.crash.kind == "out_of_memory":
        raise Unsupported(f"{size}: {outcome.crash.message}")
    del arrays, case
    output = "value" if function == "forward" else f"grad_{next(iter(few.values))}"
    got = np.asarray(unwrap(outcome, f"{function} of {size}", layout_refused=False)[output])
    return _compared(trial, size, few, (function, output), got)


def _spread(array: StridedArray, size: Size, *, whole: bool) -> StridedArray:
    """The first row everywhere but for the marked ones, without a copy; a `whole` array is of the classes, and stays."""
    if whole:
        return array
    few = array.view()
    large = np.empty((size.rows, *few.shape[1:]), few.dtype)
    large[...] = few[0]
    large[list(size.marks)] = few[1:]
    return StridedArray(large.reshape(-1).view(np.uint8), array.dtype, large.shape, large.strides)


def _compared(trial: Trial, size: Size, few: Case, what: tuple[str, str], got: Array) -> Measure:
    function, output = what
    evaluation = trial.operation.evaluate(few)
    wanted = (size.rows, *evaluation.shape(output)[1:])
    if got.shape != wanted:
        raise failure("shape", f"{function} of {size}: {output} has shape {got.shape}, wanted {wanted}", function=function, output=output)
    name = dtype_name(got.dtype)
    dtype = name if name in FORMATS else trial.wanted_dtype(output)
    places = np.array([0, *size.marks])
    ratio = 0.0
    for rows in (places, *_other_rows(got, places)):
        comparison = compare(got[rows], evaluation, output, trial.grade, dtype)
        if not comparison.ok:
            raise _failure(trial, size, what, comparison, rows)
        ratio = max(ratio, comparison.ratio)
    return Measure(ratio=ratio)


def _other_rows(got: Array, places: Array) -> Iterator[Array]:
    """In place of the first row, those of the same values that have other bits: the first and the last of each block that holds such."""
    whole = got.reshape(len(got), -1)
    marked = np.zeros(len(got), np.bool_)
    marked[places] = True
    first = whole[:1].view(np.uint8)
    found: list[int] = []
    step = max(1, (1 << 24) // whole.shape[1])
    for start in range(0, len(whole), step):
        block = np.ascontiguousarray(whole[start : start + step])
        differs = (block.view(np.uint8) != first).any(axis=1) & ~marked[start : start + step]
        rows = start + np.flatnonzero(differs)
        found += [int(row) for row in rows[:: max(1, len(rows) - 1)]]
    for row in found[:: max(1, len(found) // MOST_COMPARED)]:
        yield np.array([row, *places[1:]])


def _failure(trial: Trial, size: Size, what: tuple[str, str], comparison: Comparison, rows: Array) -> Failure:
    function, output = what
    worst = comparison.worst
    index = (int(rows[worst.index[0]]), *worst.index[1:])
    kind = "special" if worst.special else "value" if output == "value" else "gradient"
    said = mismatch_message(comparison, trial.operation.name, function, None, None)
    message = f"{size}, at {list(index)}: {said}"
    figures = {"got": worst.got, "exact": worst.exact, "allowed": worst.allowed, "ratio": worst.ratio, "ulp": comparison.ulp}
    return failure(kind, message, function=function, output=output, index=index, wanted=worst.wanted, **figures)


def gradient_without_simulator(capabilities: Capabilities, implementation: Implementation) -> str | None:
    return no_simulator(capabilities, implementation) or needs_gradient(capabilities, implementation)


LARGE_GRADIENT = "large_input, for the gradient."
LARGE = f"""An input of more than 2**31 = {BOUNDARY} elements and more than 65535 rows is answered like any other.

All rows are equal but for those astride element 2**31, a half and a quarter of it, and the last ones; those and one of the others are held
against exact results, and so is a sample of the rows that should equal it bit for bit and do not. Offsets of 32 bits overflow there. It is
tried in the narrowest dtype that the implementation takes, where there is memory enough."""

CHECKS = (
    Check("large_input", "ordinary", large_input, LARGE, traits=RESIZABLE, applies=no_simulator, **HUGE),
    Check(
        "large_input_gradient",
        "ordinary",
        large_input_gradient,
        LARGE_GRADIENT,
        traits=RESIZABLE,
        applies=gradient_without_simulator,
        **HUGE,
    ),
)
