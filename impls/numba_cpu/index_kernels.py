"""Class indices: checked in one pass, gathered and scattered."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.impls.numba_cpu.arithmetic import add, settled
from xentfuzz.impls.numba_cpu.compiling import kernel
from xentfuzz.impls.numba_cpu.memory import int64_at, load_one, size_of, store_one
from xentfuzz.impls.numba_cpu.problem import is_ignored, scale_of, weight_of
from xentfuzz.impls.numba_cpu.rows import place


@kernel
def count_targets(targets: Any, ignore_index: int, classes: int) -> Any:
    """How many targets are kept, and how many of those are no class."""
    kept, outside = 0, 0
    for y in targets:
        is_kept = y != ignore_index
        kept += is_kept
        outside += is_kept & ((y < 0) | (y >= classes))
    return kept, outside


@kernel
def first_outside(targets: Any, ignore_index: int, classes: int) -> int:
    for i, y in enumerate(targets):
        if y != ignore_index and not 0 <= y < classes:
            return i
    return -1


@kernel
def sum_weights(targets: Any, ignore_index: int, weights: Any) -> Any:
    """The sum of the kept targets' weights."""
    total, lost = 0.0, 0.0
    for y in targets:
        if y != ignore_index:
            total, lost = add(total, lost, np.float64(weights[y]))
    return settled(total, lost)


@kernel
def nll_loss_kernel(storage: Any, arithmetic: Any, problems: Any) -> Any:
    """Losses -w_y x_y in one pass over the targets: their sum, W, and the first row whose target is no class, -1 where there is none."""
    problem = problems[0]
    total, lost, weight, weight_lost = 0.0, 0.0, 0.0, 0.0
    for run in range(problem.extent.runs):
        for position in range(problem.extent.per_run):
            row, value = run * problem.extent.per_run + position, 0.0
            y = int64_at(problem.targets, row)
            if y != problem.ignore_index:
                if y < 0 or y >= problem.extent.classes:
                    return 0.0, 0.0, row
                w = weight_of(arithmetic, problem, y)
                value = -w * load_one(storage, place(problem.logits, run, position, y))
                weight, weight_lost = add(weight, weight_lost, w)
            total, lost = add(total, lost, value)
            if problem.losses:
                store_one(storage, problem.losses + row * size_of(storage), value)
    return settled(total, lost), settled(weight, weight_lost), -1


@kernel
def nll_loss_gradient_kernel(storage: Any, arithmetic: Any, problems: Any) -> None:
    """The gradient, into an array of zeros."""
    problem = problems[0]
    for run in range(problem.extent.runs):
        for position in range(problem.extent.per_run):
            row = run * problem.extent.per_run + position
            if not is_ignored(problem, row):
                y = int64_at(problem.targets, row)
                by = -weight_of(arithmetic, problem, y) * scale_of(problem, row)
                store_one(storage, place(problem.gradient, run, position, y), by)
