"""What the checks of many rows, classes and elements share: a case made larger, as far as the implementation and the memory allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.refusal import refusal
from xentfuzz.checks.trial import Array, Trial, Unsupported
from xentfuzz.dtypes import FORMATS
from xentfuzz.implementation import Implementation
from xentfuzz.operations import kinds
from xentfuzz.operations.case import Case
from xentfuzz.operations.options import AXIS, IGNORE_INDEX, REDUCTION
from xentfuzz.operations.roles import has_labels, has_target, ignored_label, target_name, target_of, weight_name, weight_of
from xentfuzz.operations.worst_case import rows_of
from xentfuzz.subjects.capabilities import Capabilities

GIB = 1 << 30

DRAWS: dict[str, Any] = {"ranks": (2,), "targets": ("index",), "layouts": ("contiguous",)}
# What every implementation takes, several classes, rows that differ, none of them ignored: none of the few cases must be drawn in vain.
PLAIN: dict[str, Any] = {
    **DRAWS,
    "weight": False,
    "class_count_divisor": 8,
    "regimes": {kinds.LOGITS: ("ordinary",), kinds.LOG_PROBS: ("ordinary",), "upstream": ("uneven", "ones")},
    "options": {REDUCTION.name: None, AXIS.name: None, IGNORE_INDEX.name: ()},
}


def resized(case: Case, rows: int, classes: int) -> Case:
    """The case as (rows, classes): its rows again and again, rotated by one class more each time; labels all over the axis.

    Raises Unsupported for probabilities: shrinking may come to them from a case with labels.
    """
    if has_target(case) and not has_labels(case):
        raise Unsupported("probabilities are not made larger")
    first = next(iter(case.values))
    old = rows_of(case)
    everything = slice(0, old.count)
    arrays = {first: _tiled(old.take(case.values[first], everything), rows, classes)}
    options = dict(case.options)
    if AXIS.name in options:
        options[AXIS.name] = -1
    if has_target(case):
        arrays[target_name(case.operation)] = _labels(case, rows, classes)
    weight = weight_of(case)
    if weight is not None:
        arrays[weight_name(case.operation)] = np.resize(weight, classes)
    upstream = case.values.get("grad_output")
    if upstream is not None:
        shape = (rows, classes) if AXIS.name in options else (rows,) if upstream.ndim else ()
        arrays["grad_output"] = np.resize(upstream, shape)
    return Case(case.operation, case.dtype, {name: StridedArray.of(values) for name, values in arrays.items()}, options)


def _tiled(values: Array, rows: int, classes: int) -> Array:
    """(n, c) as (rows, classes)."""
    places = (np.arange(classes) + np.arange(rows)[:, np.newaxis] // len(values)) % values.shape[1]
    tiled: Array = values[np.arange(rows)[:, np.newaxis] % len(values), places]
    return tiled


def _labels(case: Case, rows: int, classes: int) -> Array:
    """Labels of the whole range, the last class among them; rows that were ignored are again."""
    target, ignored = target_of(case), ignored_label(case)
    old = np.resize(target.astype(np.int64), rows)
    spread = (old - np.arange(rows) * 7919 - 1) % classes
    labels: Array = np.where(old == ignored, ignored, spread).astype(target.dtype)
    return labels


def class_count(capabilities: Capabilities, wanted: int) -> int | None:
    """The largest class count up to `wanted` that the implementation takes; the smallest one that it takes where all are larger."""
    if capabilities.class_counts is not None:
        return max((count for count in capabilities.class_counts if count <= wanted), default=min(capabilities.class_counts, default=None))
    divisor = capabilities.class_count_divisor
    return max(min(wanted, capabilities.most_classes or wanted) // divisor, 1) * divisor


def require_taken(trial: Trial, case: Case) -> None:
    """Raises Unsupported with the reason."""
    reason = refusal(case, trial.operation, trial.subject.capabilities)
    if reason is not None:
        raise Unsupported(reason)


def require_memory(needed: int, what: str) -> None:
    """Raises Unsupported with the figures where fewer than `needed` bytes are free."""
    free = free_memory()
    if free is not None and free < needed:
        raise Unsupported(f"{what} need {needed / GIB:.0f} GiB of memory, {free / GIB:.0f} GiB are free")


def free_memory() -> int | None:
    """Bytes that can be used without swapping; None where the system doesn't say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def narrowest(capabilities: Capabilities) -> str:
    """The one dtype in which there is memory for the most."""
    return min(capabilities.dtypes, key=lambda name: FORMATS[name].bits)


def no_simulator(_: Capabilities, implementation: Implementation) -> str | None:
    return "runs in a simulator" if implementation.simulator else None


def rows_and_classes(rows: int, classes: int) -> str:
    """For messages."""
    return f"{rows} rows of {classes} classes"


# What is made larger has them.
RESIZABLE = ("rows and classes",)
HUGE: dict[str, Any] = {"draws": PLAIN, "cost": "huge", "device_cost": "device", "only_dtype": narrowest}
