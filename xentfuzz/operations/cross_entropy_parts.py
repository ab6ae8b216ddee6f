"""A cross-entropy problem in blocks of rows, and what is kept of all rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from xentfuzz.operations.bounds import LossTerms
from xentfuzz.operations.coefficients import Coefficients
from xentfuzz.operations.expectation import NUMBER
from xentfuzz.operations.loss_outcomes import RowStates, UnscaledSums, row_outcomes
from xentfuzz.operations.loss_terms import loss_terms
from xentfuzz.operations.precision import concatenate
from xentfuzz.operations.reduction import RowLosses
from xentfuzz.operations.row_quantities import RowQuantities, RowSums

Array = np.ndarray[Any, Any]


class Part(NamedTuple):
    """A block of rows: `rows` of the whole, and what is known of them element by element."""

    rows: slice
    quantities: RowQuantities
    coefficients: Coefficients
    states: RowStates


class Sums(NamedTuple):
    """What is kept of all rows, and does not depend on the grade."""

    rows: RowSums
    terms: LossTerms
    losses: RowLosses


def sums_of(part: Part, intermediates: Array | None, unscaled: UnscaledSums | None) -> Sums:
    """Of one block. intermediates: see RowLosses. unscaled: see `loss_outcomes`."""
    wide, terms = loss_terms(part.quantities, part.coefficients)
    sets = row_outcomes(part.quantities, part.coefficients, part.states, unscaled)
    if sets.outcomes is not None:
        wide[(sets.outcomes & NUMBER) == 0] = 0.0
    losses = RowLosses(
        wide, part.quantities.precision, sets.outcomes, sets.policy, intermediates, 0.0 if unscaled is None else float(unscaled.sums.sum())
    )
    return Sums(part.quantities.sums, terms, losses)


def joined(found: list[Sums]) -> Sums:
    """Of consecutive blocks."""
    if len(found) == 1:
        return found[0]
    rows = RowSums(*_concatenated([sums.rows for sums in found]))
    terms = LossTerms(*_concatenated([sums.terms for sums in found]))
    return Sums(rows, terms, _joined_losses([sums.losses for sums in found]))


def _concatenated(tuples: Sequence[Iterable[Array]]) -> list[Array]:
    return [np.concatenate(arrays) for arrays in zip(*tuples, strict=True)]


def _joined_losses(losses: list[RowLosses]) -> RowLosses:
    wide = concatenate([of.wide for of in losses])
    outcomes = policy = None
    if any(of.outcomes is not None for of in losses):
        outcomes, policy = _concatenated([of.sets() for of in losses])
    stored = [of.intermediates for of in losses if of.intermediates is not None]
    return RowLosses(
        wide, losses[0].precision, outcomes, policy, np.concatenate(stored) if stored else None, sum(of.unscaled for of in losses)
    )
