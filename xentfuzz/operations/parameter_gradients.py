"""Gradients of probability targets and of their weight: step (10) of `bounds.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xentfuzz.operations import policies
from xentfuzz.operations.bounds import Rounding, cascade, error_of_lse, relative_error_of_sum
from xentfuzz.operations.coefficients import finite_or_zero
from xentfuzz.operations.cross_entropy_parts import Part
from xentfuzz.operations.expectation import ANYTHING, NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY, ZERO, Block
from xentfuzz.operations.intermediates import NEARLY_ALL, intermediates_of_parameters, products_of_parameters
from xentfuzz.operations.outcome_sets import OutcomeSets
from xentfuzz.operations.precision import Wide
from xentfuzz.operations.row_quantities import HAS_NAN, ORDINARY, RowQuantities
from xentfuzz.operations.steps import ASSEMBLING, PRODUCTS, REDUCTION

if TYPE_CHECKING:
    from xentfuzz.operations.cross_entropy import CrossEntropyEvaluation

Array = np.ndarray[Any, Any]


def _error_of_l(evaluation: CrossEntropyEvaluation, part: Part, by: Rounding) -> Array:
    """Absolute error of l_c, (rows, classes)."""
    rows = evaluation.sums.rows.part(part.rows)
    eps_s = relative_error_of_sum(by, rows, evaluation.rows.classes)
    of_form = by.of(ASSEMBLING)
    error: Array = (2 * of_form + 3 * by.of(PRODUCTS) + (5 * by.us if by.staged else 0.0)) * part.quantities.l
    of_row = error_of_lse(by, rows, eps_s) + by.flushed
    if by.lse:
        error += (2 * of_form) * np.abs(part.quantities.x)
        of_row += (2 * of_form) * np.abs(rows.max + rows.log_sum)
    return error + of_row[:, np.newaxis]


def _stored_products(by: Rounding, left: Array, right: Array) -> Array:
    """What a factor, or a product of two factors, loses when it is stored among the subnormals and then scaled by the others."""
    stored: Array = by.flushed * (left * (right + 1) + right + 1)
    return stored


def _infinite(quantities: RowQuantities) -> Array | None:
    """Where l_c is +inf, or may be in the arithmetic format."""
    masked = None if quantities.special is None else quantities.special.masked
    if masked is None or quantities.overflowing is None:
        return quantities.overflowing if masked is None else masked
    return masked | quantities.overflowing


def gradient_of_target(evaluation: CrossEntropyEvaluation, part: Part, by: Rounding) -> Block:
    """r (1 - a) w_c l_c, (rows, classes)."""
    upstream, quantities, rows = evaluation.upstream, part.quantities, part.rows
    factor = _class_factor(evaluation) * upstream.wide[rows].reshape(-1, 1)
    exact = factor * quantities.wide_l
    size = np.abs(evaluation.precision.narrow(exact))
    narrow_factor = np.abs(evaluation.precision.narrow(factor))
    roundings = 3 * by.of(PRODUCTS) * evaluation.smoothing.growth
    allowed = narrow_factor * _error_of_l(evaluation, part, by) + roundings * size + upstream.last_roundings(by, size, rows)
    if by.staged:
        allowed = (
            allowed
            + _stored_products(by, quantities.l, upstream.size[rows].reshape(-1, 1))
            + by.flushed * np.abs(_narrow_weight(evaluation))
        )
    sets = OutcomeSets(quantities.x.shape)
    nan_rows = _outcomes_of_target(sets, quantities, evaluation.precision.narrow(factor))
    if quantities.near_overflow:
        beyond = products_of_parameters(part, evaluation) > NEARLY_ALL * by.arithmetic.max
        sets.allow(beyond, NAN | POSITIVE_INFINITY | NEGATIVE_INFINITY, policies.OVERFLOW)
    sets.replace(part.states.unusual[:, np.newaxis], ANYTHING, policies.UNUSUAL_WEIGHT)
    nan_rows = None if nan_rows is None else nan_rows & ~part.states.unusual
    evaluation.special_gradients(sets, rows, by)
    if by.staged and evaluation.storage_overflows:
        sets.replace((intermediates_of_parameters(part, evaluation) > by.storable)[:, np.newaxis], ANYTHING)
    evaluation.late_scaling(sets, size / np.maximum(upstream.size[rows], by.flushed)[:, np.newaxis], by)
    return evaluation.block(rows, *evaluation.finished(exact, allowed, sets, by), sets, nan_rows)


def _class_factor(evaluation: CrossEntropyEvaluation) -> Wide:
    """(1 - a) w_c, (1, classes)."""
    one = evaluation.precision.widen(np.ones((1, evaluation.rows.classes)))
    weight = evaluation.weight
    scaled = one - evaluation.precision.widen(np.array(evaluation.smoothing.a))
    return scaled if weight is None else scaled * evaluation.precision.widen(finite_or_zero(weight.astype(np.float64)).reshape(1, -1))


def _narrow_weight(evaluation: CrossEntropyEvaluation) -> Array:
    return evaluation.precision.narrow(_class_factor(evaluation))


def _outcomes_of_target(sets: OutcomeSets, quantities: RowQuantities, factor: Array) -> Array | None:
    infinite = _infinite(quantities)
    if infinite is not None:
        sets.allow(infinite & (factor > 0), POSITIVE_INFINITY, policies.OVERFLOW)
        sets.allow(infinite & (factor < 0), NEGATIVE_INFINITY, policies.OVERFLOW)
        sets.replace(infinite & (factor == 0), NAN | ZERO, policies.ZERO_PROBABILITY)
        if quantities.precision.saturates:
            sets.replace(infinite, ANYTHING, policies.OVERFLOW)
    if quantities.special is None:
        return None
    masked, kind = quantities.special.masked, quantities.special.kind[:, np.newaxis]
    sets.replace(masked & (factor > 0), POSITIVE_INFINITY)
    sets.replace(masked & (factor < 0), NEGATIVE_INFINITY)
    sets.replace((kind != ORDINARY) & (kind != HAS_NAN), ANYTHING, policies.PLUS_INFINITY_ROW)
    sets.replace(kind == HAS_NAN, ANYTHING)
    nan_rows: Array = (kind[:, 0] == HAS_NAN) & np.any(factor != 0, axis=1)
    return nan_rows if nan_rows.any() else None


def gradient_of_weight(evaluation: CrossEntropyEvaluation, by: Rounding) -> Block:
    """sum over rows of r ((1 - a) t_c + a / C) l_c, as one row of (1, classes)."""
    classes = evaluation.rows.classes
    sets = OutcomeSets((1, classes))
    wide, errors, sizes = evaluation.precision.zeros((1, classes)), np.zeros((1, classes)), np.zeros((1, classes))
    for rows in evaluation.rows.ranges():
        part = evaluation.part(rows)
        term, error, size = _terms_of_weight(evaluation, part, by)
        wide, errors, sizes = wide + term, errors + error, sizes + size
        _outcomes_of_weight(sets, part, evaluation, by)
    allowed = errors + _error_of_summed_weight(evaluation, by, sizes, np.abs(evaluation.precision.narrow(wide)))
    if evaluation.denominator.state == "nothing":
        sets.replace_all(NAN | ZERO, policies.GRADIENT_OF_MEAN_OF_NOTHING)
    exact, allowed = evaluation.finished(wide, allowed, sets, by)
    return Block(lambda whole: whole.reshape(1, classes), lambda index: (index[1],), exact, allowed, sets.outcomes, sets.policy)


def _error_of_summed_weight(evaluation: CrossEntropyEvaluation, by: Rounding, sizes: Array, size: Array) -> Array:
    """Roundings of the sum over rows and of the result. sizes: the sum of the terms' sizes; size: the size of their sum."""
    count, upstream = evaluation.rows.count, evaluation.upstream
    error = ((count + 4) * by.of(REDUCTION) + upstream.relative_error(by)) * sizes + by.u * size + by.half_subnormal + by.flushed
    if by.staged:
        error = error + (cascade(count) + 5) * by.us * sizes + by.flushed * count
    if not upstream.ones:
        error = error + by.u * sizes + by.half_subnormal * float(upstream.given.sum())
    return np.asarray(error)


def _terms_of_weight(evaluation: CrossEntropyEvaluation, part: Part, by: Rounding) -> tuple[Wide, Array, Array]:
    """Summed over the rows of a block, (1, classes): the terms, their errors, their sizes."""
    unweighted = evaluation.unweighted(part.rows)
    factor = evaluation.upstream.wide[part.rows].reshape(-1, 1)
    terms = unweighted.wide * part.quantities.wide_l * factor
    scale = unweighted.magnitude * evaluation.upstream.size[part.rows, np.newaxis]
    errors = (scale * _error_of_l(evaluation, part, by)).sum(axis=0)
    if by.staged:
        errors = errors + _stored_products(by, part.quantities.l, evaluation.upstream.size[part.rows, np.newaxis]).sum(axis=0)
    return terms.sum(axis=0).reshape(1, -1), errors[np.newaxis], (scale * part.quantities.l).sum(axis=0)[np.newaxis]


def _outcomes_of_weight(sets: OutcomeSets, part: Part, evaluation: CrossEntropyEvaluation, by: Rounding) -> None:
    infinite, special = _infinite(part.quantities), part.quantities.special
    if part.quantities.near_overflow:
        beyond = products_of_parameters(part, evaluation).sum(axis=0, keepdims=True) > NEARLY_ALL * by.arithmetic.max
        sets.allow(beyond, NAN | POSITIVE_INFINITY | NEGATIVE_INFINITY, policies.OVERFLOW)
    if infinite is not None:
        sets.replace(np.any(infinite, axis=0, keepdims=True), ANYTHING, policies.ZERO_PROBABILITY)
    if part.states.unusual.any():
        sets.replace_all(ANYTHING, policies.UNUSUAL_WEIGHT)
    if special is not None and (special.kind != ORDINARY).any():
        sets.replace_all(ANYTHING, policies.PLUS_INFINITY_ROW)
    if by.staged and evaluation.storage_overflows and (intermediates_of_parameters(part, evaluation) > by.storable).any():
        sets.replace_all(ANYTHING)
