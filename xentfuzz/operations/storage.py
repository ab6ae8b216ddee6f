"""The largest numbers that an implementation meets which stores every intermediate result in 16 bits: step (11) of `bounds.py`.

In float16 they overflow where the result does not; then nothing can be said of it. Upper bounds, whatever the order of the factors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xentfuzz.operations.cross_entropy_parts import Part

if TYPE_CHECKING:
    from xentfuzz.operations.cross_entropy import CrossEntropyEvaluation

Array = np.ndarray[Any, Any]


def _at_least_one(values: Array) -> Array:
    limited: Array = np.maximum(np.abs(values.astype(np.float64)), 1.0)
    return limited


def factors(part: Part, evaluation: CrossEntropyEvaluation) -> Array:
    """What l_c may be multiplied by, each factor at least 1, (rows, classes); 0 where l_c is not read."""
    found = np.where(part.coefficients.read, 1.0, 0.0) * np.ones(part.quantities.x.shape)
    if evaluation.weight is not None:
        found = found * _at_least_one(evaluation.weight)
    if evaluation.targets is None:
        found = found * _at_least_one(evaluation.rows.take(evaluation.target, part.rows))
    return found


def intermediates_of_loss(part: Part, evaluation: CrossEntropyEvaluation) -> Array:
    """Of each row, (rows,): the sum s of exponentials, and the sum of all terms before a factor makes them smaller."""
    terms = np.einsum("ij,ij->i", factors(part, evaluation), part.quantities.l)
    largest: Array = np.maximum(terms, evaluation.precision.narrow(part.quantities.sum))
    return largest


def intermediates_of_gradient(part: Part, evaluation: CrossEntropyEvaluation) -> Array:
    """Of each row, (rows,): s, and the upstream gradient times the sum of the coefficients."""
    coefficients = np.maximum(part.coefficients.magnitude.sum(axis=1), factors(part, evaluation).max(axis=1))
    sums = evaluation.precision.narrow(part.quantities.sum)
    largest: Array = np.maximum(evaluation.upstream.peak[part.rows] * coefficients, sums)
    return largest


def lost_products(part: Part, evaluation: CrossEntropyEvaluation) -> Array:
    """How many stored products behind a gradient may fall below the normal range, each times what multiplies it next, (rows, classes)."""
    classes = evaluation.rows.classes
    weights = np.ones(classes) if evaluation.weight is None else 1 + np.abs(evaluation.weight.astype(np.float64))
    # A weight of NaN that no row reads multiplies nothing.
    weights = np.where(np.isfinite(weights), weights, 1.0)
    lost: Array = (weights + part.quantities.p * weights.sum()) * (1 + evaluation.upstream.peak[part.rows, np.newaxis])
    return lost


def intermediates_of_parameters(part: Part, evaluation: CrossEntropyEvaluation) -> Array:
    """Of each row, (rows,), for the gradients of target and weight: products with l_c too."""
    terms = (factors(part, evaluation) * np.maximum(part.quantities.l, 1.0)).max(axis=1)
    sums = evaluation.precision.narrow(part.quantities.sum)
    largest: Array = np.maximum(np.maximum(evaluation.upstream.peak[part.rows], 1.0) * terms, sums)
    return largest
