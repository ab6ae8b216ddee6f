"""What a loss's problem says of a row (see `launch.LossProblem`)."""

from __future__ import annotations

from typing import Any

from xentfuzz.impls.numba_cpu.compiling import inline
from xentfuzz.impls.numba_cpu.memory import float64_at, int64_at, load_one, size_of


@inline
def is_ignored(problem: Any, row: int) -> Any:
    return problem.targets != 0 and int64_at(problem.targets, row) == problem.ignore_index


@inline
def is_spread(problem: Any) -> Any:
    """Whether targets have shares in all classes."""
    return problem.probabilities.address != 0 or problem.uniform > 0.0


@inline
def weight_of(arithmetic: Any, problem: Any, y: int) -> Any:
    return load_one(arithmetic, problem.weights + y * size_of(arithmetic)) if problem.weights else 1.0


@inline
def scale_of(problem: Any, row: int) -> Any:
    return float64_at(problem.scales, row * problem.scale_step)
