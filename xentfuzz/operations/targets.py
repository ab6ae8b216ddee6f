"""Targets of a loss: class indices, or a probability for every class; which rows are kept, and by what weight they count."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz.operations.case import Case
from xentfuzz.operations.precision import Precision, Wide

Array = np.ndarray[Any, Any]


def holds_probabilities(first: Array, target: Array) -> bool:
    """A target is probabilities exactly when its shape is that of the first argument and its dtype is floating."""
    # ml_dtypes' bfloat16 is of kind "V".
    return target.shape == first.shape and target.dtype.kind in "fV"


@dataclass(frozen=True, eq=False)
class IndexTargets:
    """Class indices of all rows, (rows,), and the weight, (classes,) float64, or None.

    valid: in [0, classes); kept: not ignored; labels: the index, 0 where it is not valid.
    """

    labels: Array
    kept: Array
    valid: Array
    weight: Array | None
    classes: int

    @cached_property
    def everything_kept(self) -> bool:
        return bool(self.kept.all())

    @cached_property
    def everything_valid(self) -> bool:
        return bool(self.valid.all())

    @cached_property
    def invalid(self) -> Array:
        """Rows that are kept and out of range: an error, or NaN."""
        return self.kept & ~self.valid

    @cached_property
    def usable(self) -> Array:
        """Rows that are kept and have a valid index."""
        return self.kept & self.valid

    @cached_property
    def row_weights(self) -> Array:
        """w_y of the kept rows, 0 elsewhere: float64, (rows,)."""
        if self.weight is None or not self.classes:
            return self.usable.astype(np.float64)
        return np.where(self.usable, self.weight[self.labels], 0.0)


def index_targets(target: Array, weight: Array | None, ignore_index: int, classes: int) -> IndexTargets:
    """`target` of any integer dtype and shape; compared with `ignore_index` as integers, so that uint8 156 is not -100."""
    flat = target.reshape(-1)
    kept = flat != np.array(ignore_index) if _fits(ignore_index, flat.dtype) else np.ones(flat.shape, np.bool_)
    valid = (flat >= 0) & (flat < classes) if flat.dtype != np.bool_ else flat < classes
    labels = np.where(valid, flat, 0).astype(np.int64)
    return IndexTargets(labels, kept, valid, None if weight is None else weight.astype(np.float64), classes)


def _fits(value: int, dtype: np.dtype[Any]) -> bool:
    if dtype == np.bool_:
        return value in (0, 1)
    limits = np.iinfo(dtype)
    return bool(limits.min <= value <= limits.max)


@dataclass(frozen=True, eq=False)
class Denominator:
    """What `mean` divides by. wide: W; count: rows or kept rows; kappa: sum |w_y| / |W|; weighted: whether W is a sum of weights.

    state: "number"; "nothing": no row is kept; "zero": the kept rows all have weight 0; "undefined": positive and negative weights
    cancel, or
    a weight is not finite.
    """

    wide: Wide
    value: float
    count: int
    kappa: float
    weighted: bool
    state: str


def index_denominator(targets: IndexTargets, precision: Precision) -> Denominator:
    """Sum of the kept rows' w_y; the count of kept rows without weights."""
    count = int(np.count_nonzero(targets.kept))
    weighted = targets.weight is not None
    wide = precision.widen(targets.row_weights).sum() if weighted else precision.widen(np.array(float(count)))
    value = float(precision.narrow(wide))
    absolute = float(np.abs(targets.row_weights).sum()) if weighted else float(count)
    state = "number"
    if not count:
        state = "nothing"
    elif not np.isfinite(absolute) or (value == 0 and absolute > 0):
        state = "undefined"
    elif value == 0:
        state = "zero"
    kappa = absolute / abs(value) if state == "number" else 1.0
    return Denominator(wide, value, count, kappa, weighted, state)


def count_denominator(count: int, precision: Precision) -> Denominator:
    """The number of rows: what the mean over probability targets divides by, whatever the weights."""
    wide = precision.widen(np.array(float(count)))
    return Denominator(wide, float(count), count, 1.0, weighted=False, state="number" if count else "nothing")


def optional(case: Case, name: str) -> Array | None:
    return case.values.get(name)
