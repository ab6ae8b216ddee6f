"""Class indices as probabilities: one-hot and smoothed targets, as relations."""

from __future__ import annotations

import numpy as np

from xentfuzz.dtypes import numpy_dtype
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
)
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.relation import Array, Call, Relation
from xentfuzz.operations.rows import loss_rows


def _target_applies(case: Case) -> bool:
    """Ignored rows have no probabilities: all zeros give their loss, but neither their part of the mean nor an absence of smoothing."""
    if not (is_ordinary(case) and has_index_targets(case)):
        return False
    if effective_reduction(case.options) != "mean":
        return True
    return "weight" not in case.arrays and bool(kept_rows(case).all())


def _one_hot_applies(case: Case) -> bool:
    return _target_applies(case) and (case.options["label_smoothing"] == 0 or bool(kept_rows(case).all()))


def _as_probabilities(case: Case, on: float, off: float) -> Array:
    """`off` everywhere and `on` more at the targets; 0 in ignored rows; in the dtype of the case."""
    logits = case.values["logits"]
    rows, kept = loss_rows(logits.shape), kept_rows(case)
    flat = np.where(kept[:, np.newaxis], off, 0.0) * np.ones(rows.classes)
    flat[np.flatnonzero(kept), case.values["target"].reshape(-1)[kept]] += on
    spread = np.moveaxis(flat.reshape(*rows.positions, rows.classes), -1, rows.axis)
    return np.ascontiguousarray(spread).astype(numpy_dtype(case.dtype))


def _judge_targets(case: Case, explicit: Case, call: Call, grade: Grade) -> Judgement:
    """The same loss from index and from explicit targets; what rounding the explicit target itself changed is taken off."""
    index = derived(case)
    left, right = call(case.operation, index), call(case.operation, explicit)
    expected, other = Expected(index, left, grade), Expected(explicit, right, grade)
    shift = np.where(expected.is_number & other.is_number, expected.exact - other.exact, 0)
    where = expected.is_number & other.is_number
    return comparable(flat(left), flat(right) + shift, expected.allowed + other.allowed, where)


def _explicit(case: Case, target: Array, smoothing: float) -> Case:
    # A negative ignore_index is the only one that probability targets take.
    return derived(case, {"target": target}, ignore_index=-100, label_smoothing=smoothing)


def _judge_one_hot(case: Case, call: Call, grade: Grade) -> Judgement:
    return _judge_targets(case, _explicit(case, _as_probabilities(case, 1.0, 0.0), case.options["label_smoothing"]), call, grade)


def _smoothing_applies(case: Case) -> bool:
    return _target_applies(case) and case.options["label_smoothing"] > 0


def _judge_smoothing(case: Case, call: Call, grade: Grade) -> Judgement:
    a, classes = case.options["label_smoothing"], loss_rows(case.values["logits"].shape).classes
    return _judge_targets(case, _explicit(case, _as_probabilities(case, 1 - a, a / classes), 0.0), call, grade)


ONE_HOT = Relation(
    name="index_target_is_one_hot_target",
    explanation=(
        "A class index and the one-hot probabilities of the same class give the same loss. Not with weights under mean: indices are "
        "averaged by the targets' weights, probabilities by the number of rows. Not where a class of zero probability has the logit "
        "-inf, or a log-probability overflows: 0 * inf is NaN for the probabilities and is not met by the index. Ignored rows are "
        "compared under sum and none, as rows without probability."
    ),
    applies=_one_hot_applies,
    judge=_judge_one_hot,
    draws={"targets": ("index",), "options": {**EVERY_REDUCTION, "label_smoothing": None}},
)
SMOOTHING = Relation(
    name="smoothing_is_explicit_target",
    explanation=(
        "label_smoothing=a on class indices equals probabilities of (1 - a) at the target and a / C more everywhere, without smoothing. "
        "The explicit target is rounded to the dtype; the exact effect of that is taken off. Not with weights or ignored rows under "
        "mean (see the one-hot identity)."
    ),
    applies=_smoothing_applies,
    judge=_judge_smoothing,
    draws={"targets": ("index",), "options": {**EVERY_REDUCTION, "label_smoothing": (0.1, 0.3, 1.0, 0.001)}},
)
