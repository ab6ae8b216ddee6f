"""Checks of many rows and classes: rows that narrow counters can't count, indices that 16 bits can't hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.check import Check, Measure
from xentfuzz.checks.enlarged import (
    DRAWS,
    HUGE,
    RESIZABLE,
    class_count,
    no_simulator,
    require_memory,
    require_taken,
    resized,
    rows_and_classes,
)
from xentfuzz.checks.protocol import functions_of, on_case
from xentfuzz.checks.results import gradient, merged, value
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.failures.failure import Failure
from xentfuzz.operations.case import Case
from xentfuzz.operations.options import AXIS, IGNORE_INDEX, LABEL_SMOOTHING, REDUCTION
from xentfuzz.operations.roles import ignored_label, target_name, target_of
from xentfuzz.operations.worst_case import rows_of

# Indices of 16 bits, and the second axis of a grid of blocks, end here. A twentieth of the rows more is seen in any mean.
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
# Of two classes in a narrow format, in the worker and here: logits, labels, and what the exact result needs.
BYTES_OF_A_ROW = 380

JUDGES: dict[str, Callable[[Trial], Measure]] = {"forward": value, "backward": gradient}


def many_rows(trial: Trial) -> Measure:
    classes = class_count(trial.subject.capabilities, FEW_CLASSES)
    return Measure(compared=False) if classes is None else _judged(trial, ROWS, classes)


def many_classes(trial: Trial) -> Measure:
    classes = class_count(trial.subject.capabilities, CLASSES + 64)
    if classes is None or classes < CLASSES:
        raise Unsupported(f"more than {classes} classes")
    return _judged(trial, 2, classes)


def mean_counts_every_row(trial: Trial) -> Measure:
    classes = class_count(trial.subject.capabilities, 2)
    if classes is None:
        return Measure(compared=False)
    return merged(_both_right(trial, _mostly_kept(resized(trial.case, rows, classes))) for rows in COUNTED_ROWS)


def _mostly_kept(case: Case) -> Case:
    """The case with fewer ignored rows."""
    target, ignored = target_of(case), ignored_label(case)
    kept = np.where((target == ignored) & (np.arange(len(target)) % IGNORED_STEP > 0), 0, target).astype(target.dtype)
    return Case(case.operation, case.dtype, {**case.arrays, target_name(case.operation): StridedArray.of(kept)}, case.options)


def mean_counts_beyond_float32(trial: Trial) -> Measure:
    classes = class_count(trial.subject.capabilities, 2)
    # Of one class every loss is 0; more of them take more memory.
    if classes != 2:
        raise Unsupported("takes no 2 classes")
    require_memory(UNCOUNTABLE_ROWS * BYTES_OF_A_ROW, rows_and_classes(UNCOUNTABLE_ROWS, classes))
    case = _mostly_zero(trial, UNCOUNTABLE_ROWS)
    return _both_right(trial, case)


def _mostly_zero(trial: Trial, rows: int) -> Case:
    """Two classes, the first of which is as good as certain; every STEP-th label is the other one, and so is the last."""
    case = trial.case
    first = next(iter(case.values))
    values = np.zeros((rows, 2), case.values[first].dtype)
    values[:, 1] = -100
    target = np.zeros(rows, target_of(case).dtype)
    target[::STEP] = target[-1] = 1
    arrays = {first: values, target_name(case.operation): target}
    if "grad_output" in case.values:
        # So that the gradient of a mean over so many rows is no subnormal number of float16.
        arrays["grad_output"] = np.array(32768, case.values["grad_output"].dtype)
    options = {**case.options, REDUCTION.name: "mean"}
    return Case(case.operation, case.dtype, {name: StridedArray.of(array) for name, array in arrays.items()}, options)


def _judged(trial: Trial, rows: int, classes: int) -> Measure:
    """Value and gradient of the resized case against exact results."""
    return _both_right(trial, resized(trial.case, rows, classes))


def _both_right(trial: Trial, case: Case) -> Measure:
    require_taken(trial, case)
    large = on_case(trial, case)
    return merged(_with_calls(judge, large, function) for function, judge in JUDGES.items() if function in functions_of(trial))


def _with_calls(judge: Callable[[Trial], Measure], large: Trial, function: str) -> Measure:
    try:
        return judge(large)
    except Failure as found:
        # The case that is shown is the small one that this was made of.
        rows = rows_of(large.case)
        found.message = f"{rows_and_classes(rows.count, rows.classes)}: {found.message}"
        found.calls = ((function, large.case),)
        raise


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

RICH: dict[str, Any] = {**DRAWS, "options": {REDUCTION.name: None, IGNORE_INDEX.name: (-100,), LABEL_SMOOTHING.name: None, AXIS.name: None}}
MEAN: dict[str, Any] = {**DRAWS, "weight": False, "options": {REDUCTION.name: ("mean",), IGNORE_INDEX.name: (-100,)}}

CHECKS = (
    Check(
        "mean_counts_every_row",
        "ordinary",
        mean_counts_every_row,
        COUNTED,
        traits=("loss", *RESIZABLE),
        applies=no_simulator,
        draws=MEAN,
        cost="costly",
    ),
    Check("many_rows", "ordinary", many_rows, MANY_ROWS, traits=RESIZABLE, applies=no_simulator, draws=RICH, cost="large"),
    Check("many_classes", "ordinary", many_classes, MANY_CLASSES, traits=RESIZABLE, applies=no_simulator, draws=RICH, cost="large"),
    Check(
        "mean_counts_beyond_float32",
        "ordinary",
        mean_counts_beyond_float32,
        UNCOUNTABLE,
        traits=("loss", *RESIZABLE),
        applies=no_simulator,
        **HUGE,
    ),
)
