"""Hold results against an evaluation, without the harness's own comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import ANYTHING, NAN, NEGATIVE_INFINITY, NUMBER, POSITIVE_INFINITY, ZERO, Block, Evaluation
from xentfuzz.operations.grades import Grade

Array = np.ndarray[Any, Any]


def call(function: Callable[..., Array], case: Case, *, backward: bool) -> Array:
    """Forward or backward on the arrays and options of a case."""
    values = dict(case.values)
    upstream = values.pop("grad_output", None)
    options = {name: value for name, value in case.options.items() if value is not None}
    with np.errstate(all="ignore"):
        return np.asarray(function(*([upstream] if backward else []), **values, **options))


def outcome(value: float) -> int:
    """The set that a special value is an element of; 0 for an ordinary number."""
    if np.isnan(value):
        return NAN
    if np.isinf(value):
        return POSITIVE_INFINITY if value > 0 else NEGATIVE_INFINITY
    return ZERO if value == 0 else 0


def block_ratio(got: Array, block: Block) -> float:
    """The largest error / allowed error of a block; infinite where an outcome is not allowed."""
    part = np.asarray(block.select(got)).astype(block.exact.dtype)
    assert part.shape == block.exact.shape
    with np.errstate(all="ignore"):
        error = np.where(part == block.exact, 0, np.abs(part - block.exact))
        ratio = np.where(error == 0, 0.0, error / block.allowed).astype(float)
    ratio = np.nan_to_num(ratio, nan=np.inf)
    if block.outcomes is not None:
        special = np.array([outcome(float(value)) for value in part.reshape(-1)], np.uint8).reshape(part.shape)
        ratio = np.where(block.outcomes & NUMBER, ratio, np.inf)
        ratio = np.where(((block.outcomes & special) != 0) | ((block.outcomes & ANYTHING) != 0), 0.0, ratio)
    if block.nan_rows is not None:
        ratio = np.where((block.nan_rows & ~np.isnan(part).any(axis=-1))[..., np.newaxis], np.inf, ratio)
    return float(ratio.max(initial=0.0))


def ratio(got: Array, evaluation: Evaluation, output: str, grade: Grade, dtype: str) -> float:
    """The largest error / allowed error of an output."""
    assert got.shape == evaluation.shape(output)
    return max((block_ratio(got, block) for block in evaluation.blocks(output, grade, dtype)), default=0.0)
