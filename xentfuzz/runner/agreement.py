"""How far implementations agree with each other on the common corpus: a figure for the report, never a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from xentfuzz.checks.trial import Array, Trial
from xentfuzz.operations.expectation import Block


@dataclass
class Pair:
    """identical: cases with the same numbers, whatever their format, the sign of a zero and the bits of a NaN, which no contract fixes.

    worst_ratio: the largest difference / sum of both allowed errors, among finite numbers.
    """

    cases: int = 0
    identical: int = 0
    worst_ratio: float = 0.0

    def to_dict(self) -> dict[str, float]:
        return {"cases": self.cases, "identical": self.identical, "worst_ratio": self.worst_ratio}


@dataclass
class Agreement:
    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)

    def note(self, trials: Sequence[Trial]) -> None:
        """Compare the forward results of every two implementations that gave one of the right shape."""
        answers = [(trial, answer) for trial in trials if (answer := _answer(trial)) is not None]
        for (left, left_answer), (right, right_answer) in combinations(answers, 2):
            names = (left.subject.implementation.name, right.subject.implementation.name)
            pair = self.pairs.setdefault(names, Pair())
            pair.cases += 1
            if np.array_equal(left_answer, right_answer, equal_nan=True):
                pair.identical += 1
            else:
                pair.worst_ratio = max(pair.worst_ratio, _ratio(left, left_answer, right, right_answer))


def _answer(trial: Trial) -> Array | None:
    outcome = trial.outcomes.get("forward")
    if outcome is None or outcome.results is None:
        return None
    returned = np.asarray(outcome.results["value"])
    if returned.dtype.kind == "c":
        return None
    with np.errstate(all="ignore"):
        answer = returned.astype(np.float64)
    return answer if answer.shape == trial.evaluation.shape("value") else None


def _ratio(left: Trial, left_answer: Array, right: Trial, right_answer: Array) -> float:
    worst = 0.0
    blocks = zip(_blocks(left), _blocks(right), strict=True)
    with np.errstate(all="ignore"):
        for left_block, right_block in blocks:
            difference = np.abs(left_block.select(left_answer) - right_block.select(right_answer))
            ratio = difference / (left_block.allowed + right_block.allowed)
            worst = max(worst, float(np.max(ratio, where=np.isfinite(ratio), initial=0.0)))
    return worst


def _blocks(trial: Trial) -> Iterator[Block]:
    return trial.evaluation.blocks("value", trial.grade, trial.value_dtype)
