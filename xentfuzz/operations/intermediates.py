"""The largest numbers that an implementation may meet on the way to a result, whatever the order of the factors.

In float16, for an implementation that stores every intermediate result in 16 bits, they overflow where the result does not: then nothing
can be said of it, step (11) of `bounds.py`. In the arithmetic format they do so for logits near the end of its range only: infinities and
their differences are outcomes then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xentfuzz.dtypes import FORMATS
from xentfuzz.operations.coefficients import finite_or_zero
from xentfuzz.operations.cross_entropy_parts import Part
from xentfuzz.operations.loss_outcomes import UnscaledSums

if TYPE_CHECKING:
    from xentfuzz.operations.cross_entropy import CrossEntropyEvaluation

Array = np.ndarray[Any, Any]

# Sums of positive and negative terms may round upwards on their way to the largest number.
NEARLY_ALL = 0.99


def _at_least_one(values: Array) -> Array:
    limited: Array = np.maximum(np.abs(finite_or_zero(values.astype(np.float64))), 1.0)
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
    """Of each row, (rows,): the sum s of exponentials, and the sum of all terms before a factor makes them smaller.

    Infinite where an infinite l_c has a coefficient that may be stored as 0: their product is NaN then.
    """
    terms = np.einsum("ij,ij->i", factors(part, evaluation), part.quantities.l)
    largest: Array = np.maximum(terms, evaluation.precision.narrow(part.quantities.sum))
    special = part.quantities.special
    if special is not None:
        largest = np.where((special.masked & _may_be_stored_as_zero(part, evaluation)).any(axis=1), np.inf, largest)
    return largest


def _may_be_stored_as_zero(part: Part, evaluation: CrossEntropyEvaluation) -> Array:
    """Coefficients other than 0 that are below the storage format's normal numbers, or come from a product that is, (rows, classes)."""
    magnitude, share = part.coefficients.magnitude, evaluation.smoothing.a / evaluation.rows.classes
    smallest = np.minimum(magnitude, share) if share else magnitude
    lost: Array = (magnitude > 0) & (smallest < FORMATS[evaluation.case.dtype].smallest_normal)
    return lost


def unscaled_sums(part: Part, evaluation: CrossEntropyEvaluation) -> UnscaledSums | None:
    """None where nothing can overflow: ordinary logits, or a single term for each row."""
    quantities = part.quantities
    one_term = evaluation.targets is not None and evaluation.smoothing.a == 0
    if one_term or not quantities.near_overflow:
        return None
    lse = np.abs(quantities.max + quantities.log_sum)[:, np.newaxis]
    terms = factors(part, evaluation) * np.maximum(np.maximum(quantities.l, np.abs(quantities.x)), lse)
    largest = quantities.arithmetic.max
    used = part.coefficients.magnitude != 0
    sums = np.where(used, terms, 0.0).sum(axis=1)
    limit = np.where(used.sum(axis=1) > 1, NEARLY_ALL * largest, largest)
    return UnscaledSums(sums, sums > limit, np.any(~used & (terms > largest), axis=1))


def intermediates_of_gradient(part: Part, evaluation: CrossEntropyEvaluation) -> Array:
    """Of each row, (rows,): s, and the upstream gradient times the sum of the coefficients."""
    coefficients = np.maximum(part.coefficients.magnitude.sum(axis=1), factors(part, evaluation).max(axis=1))
    sums = evaluation.precision.narrow(part.quantities.sum)
    largest: Array = np.maximum(evaluation.upstream.peak[part.rows] * coefficients, sums)
    return largest


def lost_products(part: Part, evaluation: CrossEntropyEvaluation) -> Array:
    """How many stored products behind a gradient may fall below the normal range, each times what multiplies it next, (rows, classes)."""
    classes = evaluation.rows.classes
    weights = np.ones(classes) if evaluation.weight is None else 1 + _at_least_one(evaluation.weight)
    lost: Array = (weights + part.quantities.p * weights.sum()) * (1 + evaluation.upstream.peak[part.rows, np.newaxis])
    return lost


def products_of_parameters(part: Part, evaluation: CrossEntropyEvaluation) -> Array:
    """For the gradients of target and weight: l_c times all that may multiply it, each at least 1, (rows, classes)."""
    upstream = np.maximum(evaluation.upstream.peak[part.rows, np.newaxis], 1.0)
    products: Array = factors(part, evaluation) * np.maximum(part.quantities.l, 1.0) * upstream
    return products


def intermediates_of_parameters(part: Part, evaluation: CrossEntropyEvaluation) -> Array:
    """Of each row, (rows,): s, and the largest of those products."""
    sums = evaluation.precision.narrow(part.quantities.sum)
    largest: Array = np.maximum(products_of_parameters(part, evaluation).max(axis=1), sums)
    return largest
