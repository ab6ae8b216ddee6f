"""What none, sum and mean have to do with each other, as relations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.derived_cases import (
    Expected,
    Judgement,
    comparable,
    derived,
    exact_sum,
    first_argument,
    flat,
    has_a_mean,
    has_index_targets,
    is_ordinary,
    row_weights,
)
from xentfuzz.operations.grades import Grade
from xentfuzz.operations.options import effective_reduction
from xentfuzz.operations.relation import Array, Call, Relation


def _duplication_applies(case: Case) -> bool:
    return is_ordinary(case) and first_argument(case).ndim > 1 and effective_reduction(case.options) == "mean" and has_a_mean(case)


def _judge_duplication(case: Case, call: Call, grade: Grade) -> Judgement:
    once = derived(case)
    names = (get_operation(case.operation).arguments[0].name, "target")
    twice = derived(case, {name: np.concatenate([case.values[name]] * 2) for name in names})
    left, right = call(case.operation, once), call(case.operation, twice)
    expected, doubled = Expected(once, left, grade), Expected(twice, right, grade)
    where = expected.is_number & doubled.is_number
    return comparable(flat(left), flat(right), expected.allowed + doubled.allowed, where)


def _reductions_apply(case: Case) -> bool:
    return is_ordinary(case) and has_a_mean(case)


def _judge_reductions(case: Case, call: Call, grade: Grade) -> Judgement:
    """(sum, mean) as returned, against what the row losses as returned add up to."""
    cases = {reduction: derived(case, reduction=reduction) for reduction in ("none", "sum", "mean")}
    got = {reduction: call(case.operation, one) for reduction, one in cases.items()}
    expected = {reduction: Expected(one, got[reduction], grade) for reduction, one in cases.items()}
    denominator = exact_sum(row_weights(case))
    total = exact_sum(flat(got["none"]).astype(np.float64)) if expected["none"].is_number.all() else 0.0
    of_rows = float(expected["none"].allowed.sum())
    left = np.concatenate([flat(got["sum"]), flat(got["mean"])])
    right = np.array([total, total / denominator])
    allowed = np.concatenate([expected["sum"].allowed + of_rows, expected["mean"].allowed + of_rows / abs(denominator)])
    where = expected["none"].is_number.all() & np.concatenate([expected["sum"].is_number, expected["mean"].is_number])
    return comparable(left, right, allowed + _own_rounding(right), where)


def _own_rounding(right: Array) -> Array:
    """Of the sum (rounded once), the denominator and the division, in float64."""
    with np.errstate(over="ignore"):
        rounding: Array = 4 * 2.0**-53 * np.abs(right)
    return rounding


def _weighted_mean_applies(case: Case) -> bool:
    return _reductions_apply(case) and "weight" in case.arrays and has_index_targets(case) and case.options.get("label_smoothing", 0.0) == 0


def _judge_weighted_mean(case: Case, call: Call, grade: Grade) -> Judgement:
    """The weighted mean against unweighted row losses, weighted here."""
    mean = derived(case, reduction="mean")
    plain = derived(case, reduction="none")
    plain = replace(plain, arrays={name: array for name, array in plain.arrays.items() if name != "weight"})
    left, rows = call(case.operation, mean), call(case.operation, plain)
    expected, of_rows = Expected(mean, left, grade), Expected(plain, rows, grade)
    weights, losses = row_weights(case), flat(rows).astype(np.float64)
    denominator = exact_sum(weights)
    if not of_rows.is_number.all():
        return comparable(flat(left), flat(left), expected.allowed, expected.is_number)
    # A wrong loss may be infinite, and an ignored row's weight is 0.
    with np.errstate(invalid="ignore", over="ignore"):
        products = weights * losses
        right = np.array([exact_sum(products) / denominator])
        rounding = 2.0**-53 * float(np.abs(products).sum()) / abs(denominator)
    passed_on = float((np.abs(weights) * of_rows.allowed).sum()) / abs(denominator)
    return comparable(flat(left), right, expected.allowed + passed_on + rounding + _own_rounding(right), expected.is_number)


DUPLICATION = Relation(
    name="duplicated_batch_keeps_mean",
    explanation=(
        "The mean over a batch that contains every row twice is the mean over the batch: numerator and denominator double. An "
        "implementation that divides by the wrong count, or averages over parts of a batch, differs. For batches in which something is "
        "kept and the weights do not cancel."
    ),
    applies=_duplication_applies,
    judge=_judge_duplication,
    draws={"ranks": (2, 3, 4), "options": {"reduction": ("mean",), "ignore_index": None, "label_smoothing": None}},
)
REDUCTIONS = Relation(
    name="reductions_agree",
    explanation=(
        "sum is the sum of what none returns, and mean is that sum over its denominator: the kept rows' target weights (their count "
        "without a weight) for class indices, the number of rows for probabilities. Allowed are the bounds of sum or mean and of every "
        "row loss, rounding included."
    ),
    applies=_reductions_apply,
    judge=_judge_reductions,
    draws={"options": {"ignore_index": None, "label_smoothing": None}},
)
WEIGHTED_MEAN = Relation(
    name="weighted_mean_divides_by_target_weights",
    explanation=(
        "With class indices the weighted mean is sum_i w[y_i] l_i / sum_i w[y_i], l_i the unweighted row losses: it divides by the "
        "weights of the targets, not by the number of rows. Probability targets divide by the number of rows and are not compared; "
        "neither is smoothing, which weights each class."
    ),
    applies=_weighted_mean_applies,
    judge=_judge_weighted_mean,
    draws={"targets": ("index",), "options": {"ignore_index": None, "label_smoothing": (0.0,)}},
)


def reduction_relations(options: tuple[str, ...]) -> tuple[Relation, ...]:
    """The relations above for one loss, drawn with the options that it has."""
    return tuple(_of(relation, options) for relation in (DUPLICATION, REDUCTIONS, WEIGHTED_MEAN))


def _of(relation: Relation, options: tuple[str, ...]) -> Relation:
    drawn = {name: values for name, values in relation.draws["options"].items() if name in options}
    return replace(relation, draws={**relation.draws, "options": drawn})
