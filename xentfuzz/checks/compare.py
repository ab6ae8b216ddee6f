"""Hold a result against its expectation: error / allowed error for every number, a set of outcomes for everything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xentfuzz.dtypes import FORMATS
from xentfuzz.operations.expectation import (
    ANYTHING,
    NAN,
    NEGATIVE_INFINITY,
    NUMBER,
    OUTCOME_NAMES,
    POSITIVE_INFINITY,
    ZERO,
    Block,
    Evaluation,
)
from xentfuzz.operations.grades import Grade, laxer_than

Array = np.ndarray[Any, Any]

# Enough to see a pattern; the message names the worst and counts the rest.
KEPT_MISMATCHES = 8

# How reports call a value that a policy was chosen for.
OUTCOME_KINDS = ("NaN", "+inf", "-inf", "0", "number")


@dataclass(frozen=True)
class Mismatch:
    """One element outside its expectation. index: into the whole output; wanted: in words, where a set of outcomes was allowed."""

    index: tuple[int, ...]
    got: float
    exact: float
    allowed: float
    ratio: float
    special: bool
    wanted: str


@dataclass
class Comparison:
    """All about one output. ratio: the largest error / allowed error among numbers; ulp: of that element, in the returned dtype.

    mismatches: the worst few; wrong of total: how many elements are outside. policies: (index into the operation's policies, outcome).
    """

    output: str
    grade: Grade
    dtype: str
    ratio: float = 0.0
    ulp: float = 0.0
    total: int = 0
    wrong: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    policies: set[tuple[int, str]] = field(default_factory=set)

    @property
    def ok(self) -> bool:
        return not self.wrong

    @property
    def worst(self) -> Mismatch:
        """The mismatch to show first: a number before a special value, the largest ratio first."""
        return max(self.mismatches, key=lambda mismatch: (not mismatch.special, mismatch.ratio))


def compare(got: Array, evaluation: Evaluation, output: str, grade: Grade, dtype: str) -> Comparison:
    """Compare one whole output, of the right shape and returned in `dtype`, with what the evaluation expects at `grade`."""
    comparison = Comparison(output, grade, dtype)
    with np.errstate(all="ignore"):
        for block in evaluation.blocks(output, grade, dtype):
            _compare_block(got, block, comparison)
    return comparison


def first_laxer_grade_met(got: Array, evaluation: Evaluation, output: str, grade: Grade, dtype: str) -> Grade | None:
    """The strictest of the laxer grades that the result meets, or None."""
    return next((other for other in laxer_than(grade) if compare(got, evaluation, output, other, dtype).ok), None)


def _compare_block(got: Array, block: Block, comparison: Comparison) -> None:
    part = np.asarray(block.select(got)).astype(block.exact.dtype, copy=False)
    comparison.total += part.size
    if not part.size:
        return
    error = np.abs(part - block.exact)
    error = np.where(part == block.exact, 0, error)
    within = error <= block.allowed
    numbers = within if block.outcomes is None else within & ((block.outcomes & NUMBER) != 0)
    ratio = np.where(error == 0, 0.0, error / block.allowed)
    if block.outcomes is None:
        good, countable = within, np.isfinite(block.exact)
    else:
        good = numbers | outcome_allowed(part, block.outcomes)
        countable = (block.outcomes == NUMBER) & np.isfinite(block.exact)
    if block.nan_rows is not None:
        good = good & _rows_with_nan(part, block.nan_rows)
    _note_worst(error, np.where(countable, ratio, 0.0), block, comparison)
    _note_policies(part, block, comparison)
    if not good.all():
        _note_mismatches(part, ratio, good, block, comparison)


def outcome_allowed(part: Array, outcomes: Array) -> Array:
    """Where a value is one of its allowed special outcomes (a NUMBER is judged by its bound elsewhere)."""
    allowed: Array = (outcomes & ANYTHING) != 0
    allowed |= ((outcomes & NAN) != 0) & np.isnan(part)
    allowed |= ((outcomes & POSITIVE_INFINITY) != 0) & (part == np.inf)
    allowed |= ((outcomes & NEGATIVE_INFINITY) != 0) & (part == -np.inf)
    allowed |= ((outcomes & ZERO) != 0) & (part == 0)
    return allowed


def _rows_with_nan(part: Array, nan_rows: Array) -> Array:
    lacking = nan_rows & ~np.isnan(part).any(axis=-1)
    good: Array = np.broadcast_to(~lacking[..., np.newaxis], part.shape)
    return good


def _note_worst(error: Array, ratio: Array, block: Block, comparison: Comparison) -> None:
    position = int(np.argmax(ratio))
    worst = float(ratio.flat[position])
    # A NaN is a mismatch by itself; as a ratio it would hide every number.
    worst = float("inf") if np.isnan(worst) else worst
    if worst >= comparison.ratio:
        comparison.ratio = worst
        comparison.ulp = float(error.flat[position]) / ulp(float(block.exact.flat[position]), comparison.dtype)


def ulp(value: float, dtype: str) -> float:
    """The distance between neighbouring numbers of `dtype` at `value`; at infinity and NaN that of the largest number."""
    format_ = FORMATS[dtype]
    magnitude = min(abs(value), format_.max) if np.isfinite(value) else format_.max
    exponent = np.frexp(max(magnitude, format_.smallest_normal))[1]
    return float(np.ldexp(1.0, int(exponent) - format_.precision))


def _note_policies(part: Array, block: Block, comparison: Comparison) -> None:
    if block.policy is None or not block.policy.any():
        return
    decided = np.flatnonzero(block.policy)
    chosen = np.stack((block.policy.reshape(-1)[decided] - 1, _outcome_kinds(part.reshape(-1)[decided])))
    comparison.policies |= {(int(policy), OUTCOME_KINDS[kind]) for policy, kind in np.unique(chosen, axis=1).T}


def _outcome_kinds(values: Array) -> Array:
    """Which of OUTCOME_KINDS each value is."""
    kinds: Array = np.select([np.isnan(values), values == np.inf, values == -np.inf, values == 0], range(4), default=4)
    return kinds


def _note_mismatches(part: Array, ratio: Array, good: Array, block: Block, comparison: Comparison) -> None:
    wrong = np.flatnonzero(~good)
    comparison.wrong += wrong.size
    severity = np.nan_to_num(ratio.reshape(-1)[wrong], nan=np.inf)
    for position in wrong[np.argsort(-severity, kind="stable")[:KEPT_MISMATCHES]]:
        comparison.mismatches.append(_mismatch(int(position), part, ratio, block))
    comparison.mismatches.sort(key=lambda mismatch: -mismatch.ratio)
    del comparison.mismatches[KEPT_MISMATCHES:]


def _mismatch(position: int, part: Array, ratio: Array, block: Block) -> Mismatch:
    index = tuple(int(i) for i in np.unravel_index(position, part.shape))
    exact = float(block.exact.flat[position])
    outcomes = NUMBER if block.outcomes is None else int(block.outcomes.flat[position])
    a_nan_is_missing = block.nan_rows is not None and bool(block.nan_rows[index[0]])
    words = "NaN somewhere in this row" if a_nan_is_missing else " or ".join(_outcome_words(outcomes))
    figure = float(ratio.flat[position])
    return Mismatch(
        index=block.locate(index),
        got=float(part.flat[position]),
        exact=exact,
        allowed=float(block.allowed.flat[position]),
        ratio=float("inf") if np.isnan(figure) else figure,
        special=a_nan_is_missing or outcomes != NUMBER or not np.isfinite(exact),
        wanted=words,
    )


def _outcome_words(outcomes: int) -> Iterator[str]:
    return (name for flag, name in OUTCOME_NAMES.items() if outcomes & flag)
