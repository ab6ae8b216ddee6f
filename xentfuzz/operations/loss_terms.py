"""Row losses sum q_c l_c and what their bounds need: exact, and the same at every grade."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.operations.bounds import LossTerms, shares
from xentfuzz.operations.coefficients import Coefficients
from xentfuzz.operations.precision import LARGEST, Wide
from xentfuzz.operations.row_quantities import RowQuantities

Array = np.ndarray[Any, Any]


def loss_terms(rows: RowQuantities, coefficients: Coefficients) -> tuple[Wide, LossTerms]:
    """The losses of a block of rows, (rows,), without the classes where log p = -inf, and the sums behind their bounds."""
    wide = coefficients.wide * rows.wide_l
    if rows.special is not None:
        wide[rows.special.masked] = 0.0
    magnitude = coefficients.magnitude
    losses = wide.sum(axis=1)
    absolute = magnitude.sum(axis=1)
    if coefficients.single:
        return losses, _single(np.abs(rows.precision.narrow(losses)), absolute)
    return losses, _several(rows, magnitude, absolute)


def _single(size: Array, absolute: Array) -> LossTerms:
    none = np.zeros_like(size)
    return LossTerms(absolute, size, none, np.ones_like(size), none, none, none)


def _several(rows: RowQuantities, magnitude: Array, absolute: Array) -> LossTerms:
    ua = rows.arithmetic.unit_roundoff
    sizes = magnitude * rows.l
    size = np.minimum(sizes.sum(axis=1), LARGEST)
    logits = magnitude * np.abs(rows.x)
    total = np.minimum(logits.sum(axis=1), LARGEST)
    count = np.count_nonzero(magnitude, axis=1).astype(np.float64)
    return LossTerms(absolute, size, total, count, shares(sizes, size, ua), shares(magnitude, absolute, ua), shares(logits, total, ua))
