"""Checks of large inputs: rows that narrow counters can't count, more than 65,535 rows or classes, and more than 2**31 elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.compare import Comparison, compare
from xentfuzz.checks.message import mismatch_message
from xentfuzz.checks.protocol import functions_of, loss_dtype, on_case
from xentfuzz.checks.refusal import refusal
from xentfuzz.checks.results import gradient, merged, needs_gradient, value
from xentfuzz.checks.trial import Array, Trial, Unsupported, arguments_of, unwrap
from xentfuzz.dtypes import FORMATS, dtype_name
from xentfuzz.failures.failure import Failure, failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations.case import Case
from xentfuzz.operations.worst_case import rows_of
from xentfuzz.subjects.capabilities import Capabilities
from xentfuzz.subjects.outcome import Call

# Indices of 16 and of 31 bits, and the second axis of a grid of blocks, end here. A twentieth of the rows more is seen in any mean.
ROWS = 70_001
# A count of rows in float16 stops growing at 2048, one in bfloat16 at 256, and float16 ends at 65,504: more rows than that are kept, at
# most one in so many is ignored.
COUNTED_ROWS, IGNORED_STEP = (4_099, 70_001), 32
# One in float32 stops growing at 2**24: a quarter of the rows more.
UNCOUNTABLE_ROWS = (1 << 24) + (1 << 22)
# One row in so many has a loss that is not 0, so that the sum of the losses has few rounding errors.
STEP = 4096
CLASSES = 65_601
FEW_CLASSES = 4
BOUNDARY = 1 << 31
# With so many classes, 2**31 elements have more than 65,535 rows.
CLASSES_OF_MANY_ELEMENTS = 32_767
SECONDS = 600.0
# Arrays of the size of the logits that exist at one time: here, in the worker, and for the implementation's own results and intermediates.
COPIES = {"forward": 3, "backward": 5}
# Rows that differ from the others of the same values, which are compared with the exact result one by one.
MOST_COMPARED = 64
GIB = 1 << 30
# Of two classes in a narrow format, in the worker and here: logits, labels, and what the exact result needs.
BYTES_OF_A_ROW = 380

JUDGES: dict[str, Callable[[Trial], Measure]] = {"forward": value, "backward": gradient}


def resized(case: Case, rows: int, classes: int) -> Case:
    """The case as (rows, classes): its rows again and again, rotated by one class more each time; labels all over the axis."""
    first = next(iter(case.values))
    old = rows_of(case)
    everything = slice(0, old.count)
    arrays = {first: _tiled(old.take(case.values[first], everything), rows, classes)}
    options = dict(case.options)
    if "axis" in options:
        options["axis"] = -1
    if "target" in case.values:
        arrays["target"] = _labels(case, rows, classes)
    if "weight" in case.values:
        arrays["weight"] = np.resize(case.values["weight"], classes)
    upstream = case.values.get("grad_output")
    if upstream is not None:
        shape = (rows, classes) if "axis" in options else (rows,) if upstream.ndim else ()
        arrays["grad_output"] = np.resize(upstream, shape)
    return Case(case.operation, case.dtype, {name: StridedArray.of(values) for name, values in arrays.items()}, options)


def _tiled(values: Array, rows: int, classes: int) -> Array:
    """(n, c) as (rows, classes)."""
    places = (np.arange(classes) + np.arange(rows)[:, np.newaxis] // len(values)) % values.shape[1]
    tiled: Array = values[np.arange(rows)[:, np.newaxis] % len(values), places]
    return tiled


def _labels(case: Case, rows: int, classes: int) -> Array:
    """Labels of the whole range, the last class among them; rows that were ignored are again."""
    old = np.resize(case.values["target"].astype(np.int64), rows)
    ignored = case.options["ignore_index"]
    spread = (old - np.arange(rows) * 7919 - 1) % classes
    labels: Array = np.where(old == ignored, ignored, spread).astype(case.values["target"].dtype)
    return labels


def _class_count(capabilities: Capabilities, wanted: int) -> int | None:
    """The largest class count up to `wanted` that the implementation takes; the smallest one that it takes where all are larger."""
    if capabilities.class_counts is not None:
        return max((count for count in capabilities.class_counts if count <= wanted), default=min(capabilities.class_counts, default=None))
    divisor = capabilities.class_count_divisor
    return max(min(wanted, capabilities.largest_class_count or wanted) // divisor, 1) * divisor


def _judged(trial: Trial, rows: int, classes: int) -> Measure:
    """Value and gradient of the resized case against exact results."""
    return _both_right(trial, resized(trial.case, rows, classes))


def _both_right(trial: Trial, case: Case) -> Measure:
    _takes(trial, case)
    large = on_case(trial, case)
    return merged(_with_calls(judge, large, function) for function, judge in JUDGES.items() if function in functions_of(trial))


def _with_calls(judge: Callable[[Trial], Measure], large: Trial, function: str) -> Measure:
    try:
        return judge(large)
    except Failure as found:
        found.calls = ((function, large.case),)
        raise


def _takes(trial: Trial, case: Case) -> None:
    reason = refusal(case, trial.operation, trial.subject.capabilities)
    if reason is not None:
        raise Unsupported(reason)


def many_rows(trial: Trial) -> Measure:
    classes = _class_count(trial.subject.capabilities, FEW_CLASSES)
    return Measure(compared=False) if classes is None else _judged(trial, ROWS, classes)


def many_classes(trial: Trial) -> Measure:
    classes = _class_count(trial.subject.capabilities, CLASSES + 64)
    if classes is None or classes < CLASSES:
        raise Unsupported(f"more than {classes} classes")
    return _judged(trial, 2, classes)


# ---- rows that a narrow counter can't count


def mean_counts_every_row(trial: Trial) -> Measure:
    classes = _class_count(trial.subject.capabilities, 2)
    if classes is None:
        return Measure(compared=False)
    return merged(_both_right(trial, _mostly_kept(resized(trial.case, rows, classes))) for rows in COUNTED_ROWS)


def _mostly_kept(case: Case) -> Case:
    """The case with fewer ignored rows."""
    target, ignored = case.values["target"], case.options["ignore_index"]
    kept = np.where((target == ignored) & (np.arange(len(target)) % IGNORED_STEP > 0), 0, target).astype(target.dtype)
    return Case(case.operation, case.dtype, {**case.arrays, "target": StridedArray.of(kept)}, case.options)


def mean_counts_beyond_float32(trial: Trial) -> Measure:
    classes = _class_count(trial.subject.capabilities, 2)
    # Of one class every loss is 0; more of them take more memory.
    if classes != 2:
        raise Unsupported("takes no 2 classes")
    _require_memory(UNCOUNTABLE_ROWS * BYTES_OF_A_ROW, Size(UNCOUNTABLE_ROWS, classes))
    case = _mostly_zero(trial, UNCOUNTABLE_ROWS)
    return _both_right(trial, case)


def _mostly_zero(trial: Trial, rows: int) -> Case:
    """Two classes, the first of which is as good as certain; every STEP-th label is the other one, and so is the last."""
    case = trial.case
    first = next(iter(case.values))
    values = np.zeros((rows, 2), case.values[first].dtype)
    values[:, 1] = -100
    target = np.zeros(rows, case.values["target"].dtype)
    target[::STEP] = target[-1] = 1
    arrays = {first: values, "target": target}
    if "grad_output" in case.values:
        # So that the gradient of a mean over so many rows is no subnormal number of float16.
        arrays["grad_output"] = np.array(32768, case.values["grad_output"].dtype)
    options = {**case.options, "reduction": "mean"}
    return Case(case.operation, case.dtype, {name: StridedArray.of(array) for name, array in arrays.items()}, options)


# ---- more than 2**31 elements


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
        return f"{self.rows} rows of {self.classes} classes"


def large_input(trial: Trial) -> Measure:
    return _large(trial, "forward")


def large_input_gradient(trial: Trial) -> Measure:
    return _large(trial, "backward")


def _large(trial: Trial, function: str) -> Measure:
    classes = _class_count(trial.subject.capabilities, CLASSES_OF_MANY_ELEMENTS)
    if classes is None:
        return Measure(compared=False)
    size = Size(BOUNDARY // classes + 3, classes)
    few = _few_rows(trial.case, size)
    _takes(trial, few)
    return _large_call(trial, size, few, function)


def _few_rows(case: Case, size: Size) -> Case:
    """The first row for all others, and the marked ones."""
    few = resized(case, 1 + len(size.marks), size.classes)
    if "reduction" in few.options:
        few = Case(few.operation, few.dtype, few.arrays, {**few.options, "reduction": "none"})
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
    _require_memory(COPIES[function] * size.rows * size.classes * FORMATS[few.dtype].bits // 8, size)
    arrays = {name: _spread(array, name, size) for name, array in few.arrays.items()}
    case = Case(few.operation, few.dtype, arrays, few.options)
    value_dtype = loss_dtype(trial, few)
    outcome = trial.subject.call(Call(function, arguments_of(function, case, value_dtype), case.options, SECONDS))
    if outcome.crash is not None and outcome.crash.kind == "out_of_memory":
        raise Unsupported(f"{size}: {outcome.crash.message}")
    del arrays, case
    output = "value" if function == "forward" else f"grad_{next(iter(few.values))}"
    got = np.asarray(unwrap(outcome, f"{function} of {size}", layout_refused=False)[output])
    return _compared(trial, size, few, (function, output), got)


def _require_memory(needed: int, size: Size) -> None:
    """Raises Unsupported with the figures."""
    free = free_memory()
    if free is not None and free < needed:
        raise Unsupported(f"{size} need {needed / GIB:.0f} GiB of memory, {free / GIB:.0f} GiB are free")


def free_memory() -> int | None:
    """Bytes that can be used without swapping; None where the system doesn't say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _spread(array: StridedArray, name: str, size: Size) -> StridedArray:
    """The first row everywhere but for the marked ones, without a copy."""
    if name == "weight":
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
    said = mismatch_message(comparison, trial.operation.name, function, None)
    message = f"{size}, at {list(index)}: {said}"
    figures = {"got": worst.got, "exact": worst.exact, "allowed": worst.allowed, "ratio": worst.ratio, "ulp": comparison.ulp}
    return failure(kind, message, function=function, output=output, index=index, wanted=worst.wanted, **figures)


def narrowest(capabilities: Capabilities) -> str:
    """The one dtype in which there is memory for the most."""
    return min(capabilities.dtypes, key=lambda name: FORMATS[name].bits)


def gradient_without_simulator(capabilities: Capabilities, implementation: Implementation) -> str | None:
    return no_simulator(capabilities, implementation) or needs_gradient(capabilities, implementation)


def no_simulator(_: Capabilities, implementation: Implementation) -> str | None:
    return "runs in a simulator" if implementation.simulator else None


COUNTED = f"""The mean over {" and ".join(map(str, COUNTED_ROWS))} rows is as right as that over a few.

A count of rows that is held in 16 bits stops growing at {1 << 11} in float16 and at {1 << 8} in bfloat16,
or ends as an infinity."""
UNCOUNTABLE = f"""The mean over {UNCOUNTABLE_ROWS} rows of two classes is divided by their number.

A count of rows in float32 that grows by one stops growing at 2**24. Most losses are 0, so that the sum of the losses is held to a few
rounding errors and not to one for each row. Tried in the narrowest dtype that the implementation takes, where there is memory enough."""
MANY_ROWS = f"""A batch of {ROWS} rows is answered like any other.

Indices of 16 bits, and the second axis of a grid of blocks, end at 65535: what lies beyond is skipped, or is written over the first
rows."""
MANY_CLASSES = f"""Rows of more than {CLASSES - 1} classes are answered like any others.

Indices and counters of 16 bits, and shared memory for a row, end before that."""
LARGE_GRADIENT = "large_input, for the gradient."
LARGE = f"""An input of more than 2**31 = {BOUNDARY} elements and more than 65535 rows is answered like any other.

All rows are equal but for those astride element 2**31, a half and a quarter of it, and the last ones; those and one of the others are held
against exact results, and so is a sample of the rows that should equal it bit for bit and do not. Offsets of 32 bits overflow there. It is
tried in the narrowest dtype that the implementation takes, where there is memory enough."""

DRAWS: dict[str, Any] = {"ranks": (2,), "targets": ("index",), "layouts": ("contiguous",)}
RICH: dict[str, Any] = {**DRAWS, "options": {"reduction": None, "ignore_index": (-100,), "label_smoothing": None, "axis": None}}
MEAN: dict[str, Any] = {**DRAWS, "weight": False, "options": {"reduction": ("mean",), "ignore_index": (-100,)}}
# What every implementation takes, so that none of the few cases is drawn in vain.
PLAIN: dict[str, Any] = {**DRAWS, "weight": False}
LOSSES = ("nll_loss", "cross_entropy")
HUGE: dict[str, Any] = {"draws": PLAIN, "cost": "huge", "device_cost": "device", "only_dtype": narrowest}

CHECKS = (
    Check(
        "mean_counts_every_row",
        "ordinary",
        mean_counts_every_row,
        COUNTED,
        operations=LOSSES,
        applies=no_simulator,
        draws=MEAN,
        cost="costly",
    ),
    Check("many_rows", "ordinary", many_rows, MANY_ROWS, applies=no_simulator, draws=RICH, cost="large"),
    Check("many_classes", "ordinary", many_classes, MANY_CLASSES, applies=no_simulator, draws=RICH, cost="large"),
    Check(
        "mean_counts_beyond_float32",
        "ordinary",
        mean_counts_beyond_float32,
        UNCOUNTABLE,
        operations=LOSSES,
        applies=no_simulator,
        **HUGE,
    ),
    Check("large_input", "ordinary", large_input, LARGE, applies=no_simulator, **HUGE),
    Check("large_input_gradient", "ordinary", large_input_gradient, LARGE_GRADIENT, applies=gradient_without_simulator, **HUGE),
)
