"""The coefficients q_c of a row loss sum q_c l_c, from targets, weight and label smoothing.

Index y: q_c = (1-a) w_y [c = y] + (a/C) w_c, all 0 where the row is ignored. Probabilities t: q_c = w_c ((1-a) t_c + a/C).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz.dtypes import FloatFormat
from xentfuzz.operations.precision import Precision, Wide
from xentfuzz.operations.targets import IndexTargets

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Of a block of rows. wide: q, (rows, classes). magnitude: Q = |w_c| ((1-a) |t_c| + a/C) >= |q|, float64: what roundings are relative
    to.

    read: whether the value of a class without a coefficient is used at all, (rows, classes) or True: 0 * inf is NaN only where it is.
    single: whether every row has at most one coefficient. labels_of_nothing: the labels where a = 1, which leaves 0 of them.
    """

    wide: Wide
    magnitude: Array
    read: Array | bool
    single: bool
    precision: Precision
    labels_of_nothing: Array | None = None

    @cached_property
    def zero_times(self) -> Array:
        """Where l_c is multiplied by 0, (rows, classes)."""
        zero: Array = (self.narrow == 0) & self.read
        return zero if self.labels_of_nothing is None else zero | self.labels_of_nothing

    @cached_property
    def wide_total(self) -> Wide:
        """S = sum q_c, (rows,)."""
        return self.wide.sum(axis=1)

    @cached_property
    def total(self) -> Array:
        return self.precision.narrow(self.wide_total)

    @cached_property
    def any_in_row(self) -> Array:
        """Rows with a coefficient that is not 0."""
        any_: Array = (self.narrow != 0).any(axis=1)
        return any_

    @cached_property
    def narrow(self) -> Array:
        return self.precision.narrow(self.wide)


@dataclass(frozen=True)
class Smoothing:
    """a, and how much of it an implementation loses by holding it in its arithmetic format.

    `float32(a)` errs by up to ua a: relative to 1 - a that is large where a is near 1, and the constants of the bounds allow one
    rounding of it.
    """

    a: float
    arithmetic: FloatFormat

    @cached_property
    def growth(self) -> float:
        """Factor >= 1 on the magnitude of the terms with 1 - a."""
        if not 0 < self.a < 1 or self.arithmetic.bits == 64:
            return 1.0
        lost = abs(float(np.float32(self.a)) - self.a) / ((1 - self.a) * self.arithmetic.unit_roundoff)
        return 1 + max(0.0, lost - 1)


def index_coefficients(targets: IndexTargets, part: slice, smoothing: Smoothing, precision: Precision) -> Coefficients:
    """For the rows `part`. A weight that is not finite counts as 0: what then is allowed is a matter of outcomes."""
    rows = np.arange(part.stop - part.start)
    usable, labels, a = targets.usable[part], targets.labels[part], smoothing.a
    weight = finite_or_zero(targets.row_weights[part])
    at_label = precision.widen(weight) * (precision.widen(np.array(1.0)) - a)
    shape = (len(rows), targets.classes)
    wide = precision.zeros(shape)
    magnitude = np.zeros(shape)
    if a > 0:
        every = precision.widen(np.array(a)) / targets.classes * precision.widen(_class_weights(targets.weight, targets.classes))
        wide[usable] = every
        magnitude[usable] = np.abs(precision.narrow(every))
    wide[rows, labels] = wide[rows, labels] + at_label
    magnitude[rows, labels] += np.abs(weight) * ((1 - a) * smoothing.growth)
    at_labels = np.zeros(shape, np.bool_)
    at_labels[rows, labels] = usable
    if a == 0:
        return Coefficients(wide, magnitude, at_labels, single=True, precision=precision)
    return Coefficients(wide, magnitude, usable[:, np.newaxis], targets.classes == 1, precision, at_labels if a == 1 else None)


def probability_coefficients(target: Array, weight: Array | None, smoothing: Smoothing, precision: Precision) -> Coefficients:
    """For a block of probabilities, (rows, classes), and the weight, (classes,); what is not finite counts as 0."""
    a, classes = smoothing.a, target.shape[1]
    t = finite_or_zero(np.ascontiguousarray(target, np.float64))
    wide, magnitude = precision.widen(t), np.abs(t)
    if a > 0:
        wide = wide * (precision.widen(np.array(1.0)) - a) + precision.widen(np.array(a)) / classes
        magnitude = magnitude * ((1 - a) * smoothing.growth) + a / classes
    if weight is not None:
        finite = finite_or_zero(weight.astype(np.float64))
        wide, magnitude = wide * precision.widen(finite), magnitude * np.abs(finite)
    return Coefficients(wide, magnitude, read=True, single=classes == 1, precision=precision)


def _class_weights(weight: Array | None, classes: int) -> Array:
    return np.ones(classes) if weight is None else finite_or_zero(weight)


def finite_or_zero(values: Array) -> Array:
    """`values` with 0 for what is not finite."""
    if np.isfinite(values).all():
        return values
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
