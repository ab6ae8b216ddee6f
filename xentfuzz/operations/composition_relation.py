"""cross_entropy == nll_loss(log_softmax), as a relation."""

from __future__ import annotations

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.derived_cases import (
    EVERY_REDUCTION,
    Expected,
    Judgement,
    comparable,
    derived,
    flat,
    has_index_targets,
    is_ordinary,
    kept_rows,
    mean_is_defined,
    row_weights,
)
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.relation import Array, Call, Relation
from xentfuzz.operations.rows import loss_rows


def _composition_applies(case: Case) -> bool:
    return is_ordinary(case) and has_index_targets(case) and case.options["label_smoothing"] == 0 and mean_is_defined(case)


def _judge_composition(case: Case, call: Call, grade: Grade) -> Judgement:
    fused = derived(case)
    left = call(case.operation, fused)
    logits = case.values["logits"]
    axis = loss_rows(logits.shape).axis
    inner = Case("log_softmax", case.dtype, {"logits": case.arrays["logits"]}, {"axis": axis})
    log_probs = np.asarray(call("log_softmax", inner)).astype(numpy_dtype(case.dtype))
    options = {name: value for name, value in fused.options.items() if name != "label_smoothing"}
    arrays = {"log_probs": StridedArray.of(log_probs), **{name: fused.arrays[name] for name in fused.arrays if name != "logits"}}
    outer = Case("nll_loss", case.dtype, arrays, options)
    right = call("nll_loss", outer)
    expected, composed = Expected(fused, left, grade), Expected(outer, right, grade)
    passed_on = _error_passed_on(inner, log_probs, outer, grade)
    where = expected.is_number & composed.is_number
    return comparable(flat(left), flat(right), expected.allowed + composed.allowed + passed_on, where)


def _error_passed_on(inner: Case, log_probs: Array, outer: Case, grade: Grade) -> Array:
    """What the allowed error of log_softmax at the targets makes of the loss."""
    rows = loss_rows(log_probs.shape)
    blocks = get_operation("log_softmax").evaluate(inner).blocks("value", grade, inner.dtype)
    allowed = np.concatenate([block.allowed for block in blocks])
    labels = np.where(kept_rows(outer), outer.values["target"].reshape(-1), 0)
    weights = row_weights(outer)
    errors: Array = np.abs(weights) * allowed[np.arange(rows.count), labels]
    return _reduced(errors, outer, weights)


def _reduced(errors: Array, case: Case, weights: Array) -> Array:
    reduction = effective_reduction(case.options)
    if reduction == "none":
        return errors
    total: Array = errors.sum().reshape(1)
    divisor = 1.0 if reduction == "sum" else abs(float(weights.sum()))
    return total / divisor


COMPOSITION = Relation(
    name="cross_entropy_is_nll_of_log_softmax",
    explanation=(
        "cross_entropy(x, y) equals nll_loss(log_softmax(x), y), with the same weight, ignore_index and reduction: that is its "
        "definition for class indices. Allowed is the sum of the three bounds, the rounding of the log-probabilities in between "
        "included. Without label smoothing, which nll_loss does not have; for finite logits."
    ),
    applies=_composition_applies,
    judge=_judge_composition,
    draws={"targets": ("index",), "options": {**EVERY_REDUCTION, "label_smoothing": (0.0,)}},
)
