"""How an implementation's errors lie beside those of a plain evaluation in the same arithmetic, on the same cases.

A bound lets pass what is far worse than usual: an exponential that is wrong by 1e-6 is within it in float32. Two figures of each output:
the largest error as a share of the allowed one, and, of the elements in which the form and the order of summation can't matter and the
exponential does, the root mean square of the errors relative to the exact values, in roundings. The second one tells how good the
exponential is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log2
from typing import Any, NamedTuple

import numpy as np

from xentfuzz.checks.trial import Trial
from xentfuzz.dtypes import FORMATS, dtype_name
from xentfuzz.operations.expectation import NUMBER, Block
from xentfuzz.operations.grades import LADDER
from xentfuzz.operations.plain import plain_gradient, plain_value
from xentfuzz.operations.steps import EXPONENTIAL, WORKING
from xentfuzz.recipes.recipe import Recipe
from xentfuzz.runner.measured import regime_of

Array = np.ndarray[Any, Any]

# Larger cases cost more, and tell nothing that smaller ones don't.
LARGEST = 4096

# An element is a sensitive one where the strictest grade allows so many roundings of it, exp half of what it errs by itself or more, and
# where the declared grade allows hardly more.
ROUNDINGS = 48
OF_EXP = 0.5
LAXER = 1.25

# How many times as large as the plain evaluation's are worth a note; of so many cases; plain errors count as that many roundings at least.
TIMES = 5.0
FEWEST = 8
SMALLEST = 0.5

STRICTEST = LADDER[0]
WITHOUT_EXP = STRICTEST.leaving_out(EXPONENTIAL)


class Pair(NamedTuple):
    """A figure of one case: the implementation's and the plain evaluation's."""

    own: float
    plain: float


@dataclass
class Regime:
    """Of one regime of the first argument. shares: of the allowed error; roundings: of sensitive elements."""

    shares: list[Pair] = field(default_factory=list)
    roundings: list[Pair] = field(default_factory=list)


class Quantiles(NamedTuple):
    """Of the implementation and of the plain evaluation: cases, median and 95 %."""

    cases: int
    median: float
    high: float
    plain_median: float
    plain_high: float

    @staticmethod
    def of(pairs: list[Pair]) -> Quantiles:
        if not pairs:
            return Quantiles(0, 0.0, 0.0, 0.0, 0.0)
        # Values that occur, because between two infinities nothing can be interpolated.
        places = [math.ceil(share * len(pairs)) - 1 for share in (0.5, 0.95)]
        own, plain = np.sort(np.array(pairs, np.float64), axis=0)[places].T
        return Quantiles(len(pairs), *map(float, own), *map(float, plain))

    @property
    def times(self) -> float:
        """How many times as large as the plain evaluation's, by the worse of the two quantiles."""
        return max(self.median / max(self.plain_median, SMALLEST), self.high / max(self.plain_high, SMALLEST))


@dataclass
class BesidePlain:
    """Of one implementation. regimes: (dtype, output, regime) -> what was measured."""

    regimes: dict[tuple[str, str, str], Regime] = field(default_factory=dict)

    def note(self, trial: Trial, recipe: Recipe) -> None:
        """Measure a case that has been judged, of ordinary numbers."""
        if trial.operation.plain is None or next(iter(trial.case.values.values())).size > LARGEST:
            return
        regime = regime_of(recipe)
        for output, got, plain, dtype in _outputs(trial):
            found = self.regimes.setdefault((trial.case.dtype, output, regime), Regime())
            share, roundings = _measured(trial, output, got, plain, dtype)
            if share is not None:
                found.shares.append(share)
            if roundings is not None:
                found.roundings.append(roundings)

    def table(self) -> list[dict[str, Any]]:
        """A row for each dtype, output and regime, as results files have it."""
        return [
            {
                "dtype": dtype,
                "output": output,
                "regime": regime,
                "share_of_allowed": Quantiles.of(found.shares)._asdict(),
                "roundings": Quantiles.of(found.roundings)._asdict(),
            }
            for (dtype, output, regime), found in self.regimes.items()
            if found.shares
        ]

    def words(self) -> tuple[str, ...]:
        """For each dtype how the shares lie against the plain evaluation's, over all outputs and regimes."""
        return tuple(f"{dtype}: {_words(regime.shares)}" for dtype, regime in self._by_dtype().items() if regime.shares)

    def notes(self) -> list[str]:
        """A line for each dtype in which errors are several times the plain evaluation's."""
        found = {dtype: Quantiles.of(regime.roundings) for dtype, regime in self._by_dtype().items()}
        return [_note(dtype, of) for dtype, of in found.items() if of.cases >= FEWEST and of.times > TIMES]

    def _by_dtype(self) -> dict[str, Regime]:
        """Outputs and regimes together: a quick run has few cases of each."""
        by_dtype: dict[str, Regime] = {}
        for (dtype, _, _), found in self.regimes.items():
            whole = by_dtype.setdefault(dtype, Regime())
            whole.shares += found.shares
            whole.roundings += found.roundings
        return by_dtype


def _words(pairs: list[Pair]) -> str:
    of = Quantiles.of(pairs)
    own, plain = (f"{median:.2g} and {high:.2g}" for median, high in ((of.median, of.high), (of.plain_median, of.plain_high)))
    return f"{own} of the allowed error (median and 95 %), a plain evaluation {plain}"


def _note(dtype: str, of: Quantiles) -> str:
    """An exponential that is off by up to a limit shows in errors of about two thirds of it at 95 %."""
    bits = round(-log2(1.5 * of.high * FORMATS[FORMATS[dtype].arithmetic].unit_roundoff))
    own, plain = (f"{median:.2g}, 95 % {high:.2g}" for median, high in ((of.median, of.high), (of.plain_median, of.plain_high)))
    return (
        f"errors in {dtype} are within the bound, but {of.times:.2g} times as large as those of a plain evaluation where exp decides "
        f"(median {own} roundings; there {plain}): as a kernel with an exponential good to {bits} bits"
    )


def _outputs(trial: Trial) -> Iterator[tuple[str, Array, Array, str]]:
    """Output, the implementation's and the plain array, and the dtype that both are returned in; of calls that have been made."""
    case = trial.case
    gradient = f"grad_{trial.operation.arguments[0].name}"
    for function, output in (("forward", "value"), ("backward", gradient)):
        outcome = trial.outcomes.get(function)
        if outcome is None or outcome.results is None or output not in outcome.results:
            continue
        got = np.asarray(outcome.results[output])
        dtype = dtype_name(got.dtype)
        if dtype in FORMATS and got.shape == trial.evaluation.shape(output):
            yield output, got, (plain_value if output == "value" else plain_gradient)(case, dtype), dtype


def _measured(trial: Trial, output: str, got: Array, plain: Array, dtype: str) -> tuple[Pair | None, Pair | None]:
    """The largest shares of the allowed error, and the roundings of sensitive elements; None where there is no such element."""
    unit = max(FORMATS[dtype].unit_roundoff, FORMATS[FORMATS[trial.case.dtype].arithmetic].unit_roundoff)
    declared = trial.evaluation.blocks(output, trial.grade, dtype)
    strict, without = (trial.evaluation.blocks(output, grade, dtype) for grade in (STRICTEST, WITHOUT_EXP))
    shares, squares = [], []
    with np.errstate(all="ignore"):
        for block, strictest, rest in zip(declared, strict, without, strict=True):
            errors = _errors(block, got, plain)
            numbers = _numbers(block)
            shares.append((errors / block.allowed)[:, numbers].max(axis=1, initial=0.0) if numbers.any() else None)
            size = unit * np.abs(block.exact).astype(np.float64)
            sensitive = numbers & (strictest.allowed <= ROUNDINGS * size) & (block.allowed <= LAXER * strictest.allowed)
            sensitive &= strictest.allowed - rest.allowed >= OF_EXP * WORKING.exponential * size
            squares.append(((errors / size)[:, sensitive]) ** 2)
    found = [share for share in shares if share is not None]
    relative = np.concatenate(squares, axis=1) if squares else np.zeros((2, 0))
    share = Pair(*map(float, np.max(found, axis=0))) if found else None
    return share, Pair(*map(float, np.sqrt(relative.mean(axis=1)))) if relative.size else None


def _errors(block: Block, *results: Array) -> Array:
    """|result - exact| of each result, (results, *shape of the block)."""
    errors = [np.abs(np.asarray(block.select(result)).astype(block.exact.dtype) - block.exact) for result in results]
    return np.stack(errors).astype(np.float64)


def _numbers(block: Block) -> Array:
    """Where a number is wanted, and some error allowed."""
    numbers: Array = np.isfinite(block.exact) & (block.allowed > 0)
    return numbers if block.outcomes is None else numbers & (block.outcomes == NUMBER)
