"""What relations are made of: cases derived from a case, what they are expected to give, and which cases are plain enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import fsum, nan
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FORMATS, dtype_name
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.expectation import NUMBER
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.relation import Array
from xentfuzz.operations.rows import loss_rows
from xentfuzz.operations.targets import holds_probabilities

Judgement = tuple[Array, Array, Array]


class Expected:
    """Exact value, allowed error and whether it is a number, of the value of a case: flattened, float64."""

    def __init__(self, case: Case, got: Array, grade: Grade) -> None:
        blocks = list(get_operation(case.operation).evaluate(case).blocks("value", grade, dtype_name(got.dtype)))
        self.exact = joined([block.exact for block in blocks])
        self.allowed = joined([block.allowed for block in blocks]).astype(np.float64)
        numbers = [np.ones(block.exact.shape, np.bool_) if block.outcomes is None else block.outcomes == NUMBER for block in blocks]
        self.is_number = joined(numbers).astype(np.bool_) & np.isfinite(self.exact)


def joined(parts: list[Array]) -> Array:
    return np.concatenate([part.reshape(-1) for part in parts]) if parts else np.zeros(0)


def flat(values: Array) -> Array:
    return np.asarray(values).astype(np.longdouble).reshape(-1)


def exact_sum(values: Array) -> float:
    """The sum of what an implementation returned, rounded once: NaN where infinities of both signs meet, an infinity where it overflows."""
    try:
        return fsum(values)
    except ValueError:  # fsum's answer to infinities of both signs
        return nan
    except OverflowError:
        with np.errstate(over="ignore"):
            return float(np.sum(values, dtype=np.longdouble).astype(np.float64))


def comparable(left: Array, right: Array, allowed: Array, where: Array) -> Judgement:
    """The judgement, with what is no number on either side left out as agreeing."""
    return np.where(where, left, 0), np.where(where, right, 0), np.where(where, allowed, 0.0)


def derived(case: Case, arrays: Mapping[str, Array] | None = None, **options: Any) -> Case:
    """The case for forward alone, with other arrays or options."""
    kept = {name: array for name, array in case.arrays.items() if name != "grad_output"}
    kept.update({name: StridedArray.of(values) for name, values in (arrays or {}).items()})
    if "reduction" not in case.options:
        return replace(case, arrays=kept, options={**case.options, **options})
    deprecated = {name: None for name in ("size_average", "reduce") if name in case.options}
    return replace(case, arrays=kept, options={**case.options, **deprecated, "reduction": effective_reduction(case.options), **options})


def first_argument(case: Case) -> Array:
    return case.values[get_operation(case.operation).arguments[0].name]


def has_index_targets(case: Case) -> bool:
    return not holds_probabilities(first_argument(case), case.values["target"])


def is_ordinary(case: Case) -> bool:
    """No NaN or infinity, no empty axis, every index in range, and no log-probability that leaves the dtype."""
    first = first_argument(case).astype(np.float64)
    weight = case.values.get("weight")
    if not first.size or not np.isfinite(first).all() or not (weight is None or np.isfinite(weight).all()):
        return False
    if float(first.max()) - float(first.min()) > FORMATS[case.dtype].max / 4:
        return False
    if "target" not in case.values:
        return True
    if not has_index_targets(case):
        return bool(np.isfinite(case.values["target"]).all())
    target = case.values["target"]
    return bool(((target == case.options["ignore_index"]) | ((target >= 0) & (target < loss_rows(first.shape).classes))).all())


def kept_rows(case: Case) -> Array:
    """Rows that are not ignored, (rows,)."""
    count = loss_rows(first_argument(case).shape).count
    return case.values["target"].reshape(-1) != case.options["ignore_index"] if has_index_targets(case) else np.ones(count, np.bool_)


def row_weights(case: Case) -> Array:
    """What each row counts in the mean, (rows,) float64: w_y or 1 for indices, 0 for ignored rows; 1 for probabilities."""
    kept = kept_rows(case)
    weight = case.values.get("weight")
    if not has_index_targets(case) or weight is None:
        return kept.astype(np.float64)
    return np.where(kept, weight.astype(np.float64)[np.where(kept, case.values["target"].reshape(-1), 0)], 0.0)


def has_a_mean(case: Case) -> bool:
    """Whether something is kept, and the weights do not cancel."""
    weights = row_weights(case)
    return bool(abs(weights.sum()) > 1e-3 * np.abs(weights).sum())


def mean_is_defined(case: Case) -> bool:
    return effective_reduction(case.options) != "mean" or has_a_mean(case)


# The options of a Space that draws every reduction.
EVERY_REDUCTION = {"reduction": None, "ignore_index": None}
