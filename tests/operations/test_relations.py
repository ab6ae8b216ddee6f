"""Identities hold for correct implementations, and each of them finds the mistake that it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import case_of
from honest import HONEST
from measured import call
from random_cases import DTYPES, random_case

from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.operations.grades import parse_grade
from xentfuzz.operations.metamorphic import OF_CROSS_ENTROPY, OF_NLL_LOSS
from xentfuzz.operations.relation import Relation

Array = np.ndarray[Any, Any]
Function = Callable[..., Array]

GRADE = parse_grade("lse/any")


def metamorphic(operation: str) -> tuple[Relation, ...]:
    """Those that `test_metamorphic.py` is about."""
    names = {relation.name for relation in (*OF_CROSS_ENTROPY, *OF_NLL_LOSS)}
    return tuple(relation for relation in get_operation(operation).relations if relation.name in names)


RELATIONS = [
    (operation, relation)
    for operation in ("cross_entropy", "nll_loss")
    for relation in get_operation(operation).relations
    if relation not in metamorphic(operation)
]
IDS = [f"{operation}-{relation.name}" for operation, relation in RELATIONS]
NAMES = {
    "cross_entropy_is_nll_of_log_softmax",
    "index_target_is_one_hot_target",
    "duplicated_batch_keeps_mean",
    "reductions_agree",
    "weighted_mean_divides_by_target_weights",
    "smoothing_is_explicit_target",
}


def honest(operation: str, form: str = "two passes, lse") -> Function:
    return HONEST[form].pair(operation)[0]


def worst(relation: Relation, case: Case, functions: Callable[[str], Function]) -> float:
    """The largest difference / allowed difference."""
    left, right, allowed = relation.judge(case, lambda operation, derived, _="": call(functions(operation), derived, backward=False), GRADE)
    assert left.shape == right.shape == allowed.shape
    assert (allowed >= 0).all()
    difference = np.abs(left - right)
    return float(np.max(np.where(difference == 0, 0, difference / np.where(allowed > 0, allowed, 1e-300)), initial=0.0))


def test_every_identity_is_there() -> None:
    assert {relation.name for operation, relation in RELATIONS if operation == "cross_entropy"} == NAMES


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("operation", "relation"), RELATIONS, ids=IDS)
def test_correct_implementations_keep_it(operation: str, relation: Relation, dtype: str) -> None:
    compared = 0
    for seed in range(60):
        case, _ = random_case(seed, operation, dtype, largest=200)
        if relation.applies(case):
            compared += 1
            form = list(HONEST)[seed % len(HONEST)]
            assert worst(relation, case, lambda name, form=form: honest(name, form)) <= 1
    assert compared


@pytest.mark.parametrize(("operation", "relation"), RELATIONS, ids=IDS)
def test_its_draws_are_fields_of_a_space(operation: str, relation: Relation) -> None:
    names = {option.name for option in get_operation(operation).options}
    assert set(relation.draws) <= {"targets", "ranks", "weight", "options"}
    assert set(relation.draws["options"]) <= names


def named(name: str, operation: str = "cross_entropy") -> Relation:
    return next(relation for relation in get_operation(operation).relations if relation.name == name)


ORDINARY = np.random.default_rng(0).normal(0, 3, (6, 5))
LABELS = [0, 1, 2, 3, 4, 0]


def shifted(logits: Array, target: Array, **options: Any) -> Array:
    return (honest("cross_entropy")(logits, target, **options) * np.float32(1.001)).astype(logits.dtype)


def wrong_for_probabilities(logits: Array, target: Array, **options: Any) -> Array:
    if target.dtype.kind == "f":
        target = target / target.dtype.type(1.001)
    return honest("cross_entropy")(logits, target, **options)


def divided_by_classes(logits: Array, target: Array, *, reduction: str = "mean", **options: Any) -> Array:
    total = honest("cross_entropy")(logits, target, reduction="none" if reduction == "none" else "sum", **options)
    return (total / np.float32(logits.shape[1])).astype(logits.dtype) if reduction == "mean" else total


def divided_by_rows(logits: Array, target: Array, *, reduction: str = "mean", **options: Any) -> Array:
    total = honest("cross_entropy")(logits, target, reduction="none" if reduction == "none" else "sum", **options)
    return (total / np.float32(target.size)).astype(logits.dtype) if reduction == "mean" else total


def smoothed_over_other_classes(logits: Array, target: Array, *, label_smoothing: float = 0.0, **options: Any) -> Array:
    if target.dtype.kind == "i" and label_smoothing:
        classes = logits.shape[1]
        label_smoothing = label_smoothing * classes / (classes - 1)
    return honest("cross_entropy")(logits, target, label_smoothing=label_smoothing, **options)


@pytest.mark.parametrize(
    ("name", "mistake", "options"),
    [
        ("cross_entropy_is_nll_of_log_softmax", shifted, {}),
        ("index_target_is_one_hot_target", wrong_for_probabilities, {}),
        ("duplicated_batch_keeps_mean", divided_by_classes, {}),
        ("reductions_agree", divided_by_rows, {"ignore_index": 0}),
        ("reductions_agree", divided_by_classes, {}),
        ("weighted_mean_divides_by_target_weights", divided_by_rows, {"weight": [1.0, 2.0, 3.0, 4.0, 5.0]}),
        ("smoothing_is_explicit_target", smoothed_over_other_classes, {"label_smoothing": 0.1}),
    ],
)
def test_it_finds_the_mistake_that_it_is_about(name: str, mistake: Function, options: dict[str, Any]) -> None:
    case = case_of("cross_entropy", ORDINARY, LABELS, **options)
    relation = named(name)
    assert relation.applies(case)
    assert worst(relation, case, lambda operation: mistake if operation == "cross_entropy" else honest(operation)) > 1


@pytest.mark.parametrize(
    ("name", "logits", "target", "options"),
    [
        ("cross_entropy_is_nll_of_log_softmax", ORDINARY, LABELS, {"label_smoothing": 0.1}),
        ("cross_entropy_is_nll_of_log_softmax", ORDINARY, np.eye(5)[LABELS], {}),
        ("index_target_is_one_hot_target", ORDINARY, LABELS, {"weight": [1.0, 2.0, 3.0, 4.0, 5.0]}),
        ("index_target_is_one_hot_target", [[0.0, -np.inf]], [0], {}),
        ("index_target_is_one_hot_target", [[3e38, -3e38]], [0], {}),
        ("index_target_is_one_hot_target", ORDINARY, LABELS, {"ignore_index": 0}),
        ("smoothing_is_explicit_target", ORDINARY, LABELS, {}),
        ("duplicated_batch_keeps_mean", ORDINARY, LABELS, {"reduction": "sum"}),
        ("duplicated_batch_keeps_mean", ORDINARY, [0] * 6, {"ignore_index": 0}),
        ("duplicated_batch_keeps_mean", ORDINARY[0], 0, {}),
        ("reductions_agree", [[np.nan, 0.0]], [0], {}),
        ("reductions_agree", ORDINARY, [0] * 6, {"weight": [0.0, 1.0, 1.0, 1.0, 1.0]}),
        ("weighted_mean_divides_by_target_weights", ORDINARY, LABELS, {}),
        ("weighted_mean_divides_by_target_weights", ORDINARY, np.eye(5)[LABELS], {"weight": [1.0, 2.0, 3.0, 4.0, 5.0]}),
    ],
)
def test_its_exceptions_are_left_out(name: str, logits: object, target: object, options: dict[str, Any]) -> None:
    assert not named(name).applies(case_of("cross_entropy", logits, target, **options))
