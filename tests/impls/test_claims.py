"""The claims of the two articles that the project starts from, each held against every implementation: true, refuted, or not tested."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from xentfuzz.operations import get_operation

CLAIMS = json.loads((Path(__file__).parents[1] / "data" / "worked_examples.json").read_text())["claims"]
NOT_TESTED = {"b-claim-18": "about speed: `xentfuzz bench` measures it, and no test asserts a time"}

SHOWN, REFUTED = set(), set()

X = [[0.2, 0.7, 0.8, 0.1], [0.1, 0.3, 0.5, 0.7], [2.0, -0.5, 0.5, -1.5]]
Y = [0, 3, 1]
W = [0.7, 0.2, 0.1, 1.5]
ONE_HOT = np.eye(4)[Y].tolist()
T = [[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]]


def shows(*claims):
    """Mark a test as the proof of claims."""
    return _marks(SHOWN, claims)


def refutes(*claims):
    """Mark a test as the refutation of claims."""
    return _marks(REFUTED, claims)


def _marks(proven, claims):
    def mark(test):
        proven.update(claims)
        return test

    return mark


def log_p():
    x = np.asarray(np.asarray(X, np.float32), np.float64)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def holds(ours, name, **given):
    """Judge an identity that cross_entropy states, with the bound that it derives."""
    relation = next(relation for relation in get_operation("cross_entropy").relations if relation.name == name)
    case = ours.case("cross_entropy", logits=X, **given)
    assert relation.applies(case)
    left, right, allowed = relation.judge(case, ours.call, ours.grade("cross_entropy"))
    assert np.size(left) > 0
    assert np.all(np.abs(left - right) <= allowed), relation.explanation


def agree(left, right, *allowed):
    assert np.all(np.abs(np.subtract(left, right)) <= np.reshape(sum(allowed), np.shape(left)))


def test_every_claim_is_shown_refuted_or_left_out_for_a_reason():
    marked = {True: SHOWN, False: REFUTED, None: set(NOT_TESTED)}
    for held, claims in marked.items():
        assert {claim["id"] for claim in CLAIMS if claim["holds"] is held} == claims


@shows("a-claim-1")
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_cross_entropy_is_nll_loss_of_log_softmax(ours, reduction):
    holds(ours, "cross_entropy_is_nll_of_log_softmax", target=Y, reduction=reduction)


@shows("a-claim-2")
def test_nll_loss_is_minus_the_mean_of_the_picked_entries(ours):
    picked = np.asarray(X, np.float32)[np.arange(3), Y].astype(np.float64)
    given = {"log_probs": X, "target": Y}
    assert picked.mean() > 0
    agree(ours.value("nll_loss", **given), -picked.mean(), ours.allowed("nll_loss", **given))


@shows("a-claim-3")
@pytest.mark.parametrize(("operation", "first"), [("nll_loss", "log_probs"), ("cross_entropy", "logits")])
def test_reduction_is_the_mean_unless_given(ours, operation, first):
    given, summed = {first: X, "target": Y}, {first: X, "target": Y, "reduction": "sum"}
    total, allowed = ours.value(operation, **summed), ours.allowed(operation, **summed)
    agree(ours.value(operation, **given), total / 3, ours.allowed(operation, **given), allowed / 3)


@shows("a-claim-4")
def test_nll_loss_takes_one_class_per_row(ours):
    assert ours.outcome(ours.case("nll_loss", log_probs=X, target=ONE_HOT)).raised
    assert ours.outcome(ours.case("cross_entropy", logits=X, target=ONE_HOT)).results


@shows("a-claim-5")
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_index_target_equals_its_one_hot_target(ours, reduction):
    holds(ours, "index_target_is_one_hot_target", target=Y, reduction=reduction)


@shows("a-claim-6")
def test_cross_entropy_applies_log_softmax_to_its_input(ours):
    given = {"logits": X, "target": Y}
    loss, allowed = ours.value("cross_entropy", **given), ours.allowed("cross_entropy", **given)
    agree(loss, -log_p()[np.arange(3), Y].mean(), allowed)
    assert abs(loss - ours.value("nll_loss", log_probs=X, target=Y)) > allowed


@shows("a-claim-7")
@pytest.mark.parametrize("axis", [0, 1])
def test_log_softmax_is_the_natural_logarithm_of_what_sums_to_one_along_its_axis(ours, axis):
    given = {"logits": X, "axis": axis}
    p = np.exp(ours.value("log_softmax", **given))
    # The allowed errors come row by row along the axis, whichever that is.
    allowed = ours.allowed("log_softmax", **given).reshape(-1, np.shape(X)[axis])
    agree(p.sum(axis=axis), np.ones(p.shape[1 - axis]), np.expm1(allowed).sum(axis=1))


@shows("a-claim-8")
def test_loss_of_probabilities_is_their_cross_entropy(ours):
    given = {"logits": X, "target": T}
    t = np.asarray(T, np.float32).astype(np.float64)
    agree(ours.value("cross_entropy", **given), -(t * log_p()).sum(axis=1).mean(), ours.allowed("cross_entropy", **given))


MULTI_HOT = [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]]


@shows("a-claim-9")
def test_mean_over_unnormalised_targets_divides_by_the_number_of_rows(ours):
    mean, summed = {"logits": X, "target": MULTI_HOT}, {"logits": X, "target": MULTI_HOT, "reduction": "sum"}
    allowed = ours.allowed("cross_entropy", **mean) + ours.allowed("cross_entropy", **summed) / 3
    agree(ours.value("cross_entropy", **mean), ours.value("cross_entropy", **summed) / 3, allowed)


@shows("a-claim-10")
def test_multi_hot_loss_is_the_sum_of_the_single_index_losses(ours):
    targets = [{"logits": X, "target": target, "reduction": "none"} for target in (MULTI_HOT, [0, 2, 1], [1, 3, 2])]
    both, first, second = (ours.value("cross_entropy", **given) for given in targets)
    third = ours.value("cross_entropy", logits=X, target=[0, 0, 3], reduction="none") * [0, 0, 1]
    targets.append({"logits": X, "target": [0, 0, 3], "reduction": "none"})
    agree(both, first + second + third, *(ours.allowed("cross_entropy", **given) for given in targets))


@shows("b-claim-1")
def test_defaults_of_the_options(ours):
    defaults = {"weight": None, "ignore_index": -100, "reduction": "mean", "label_smoothing": 0.0}
    if ours.name == "torch-eager":
        defaults |= {"size_average": None, "reduce": None}
    if ours.name == "numba-cuda":
        defaults |= {"check": True}
    parameters = inspect.signature(ours.implementation("cross_entropy").forward).parameters
    assert {name: parameter.default for name, parameter in parameters.items() if parameter.default is not parameter.empty} == defaults


@shows("b-claim-2")
def test_softmax_output_is_the_wrong_input(ours):
    p = ours.value("softmax", logits=X, axis=1)
    given = {"logits": X, "target": Y}
    loss, allowed = ours.value("cross_entropy", **given), ours.allowed("cross_entropy", **given)
    assert abs(ours.value("cross_entropy", logits=p.tolist(), target=Y) - loss) > allowed
    from_log_p = {"log_probs": log_p().tolist(), "target": Y}
    agree(ours.value("nll_loss", **from_log_p), loss, allowed, ours.allowed("nll_loss", **from_log_p), np.abs(log_p()).max() * 2.0**-24)


@shows("b-claim-3")
def test_weight_has_a_factor_for_each_class(ours):
    plain = {"logits": X, "target": Y, "reduction": "none"}
    weighted, factors = {**plain, "weight": W}, np.asarray(W, np.float32).astype(np.float64)[Y]
    allowed = ours.allowed("cross_entropy", **weighted) + factors * ours.allowed("cross_entropy", **plain)
    agree(ours.value("cross_entropy", **weighted), factors * ours.value("cross_entropy", **plain), allowed)
    assert ours.outcome(ours.case("cross_entropy", logits=X, target=Y, weight=W[:3])).raised


@shows("b-claim-4")
def test_reductions_are_the_row_losses_their_sum_and_their_mean(ours):
    given = {"logits": X, "target": Y, "reduction": "none"}
    agree(ours.value("cross_entropy", **given), -log_p()[np.arange(3), Y], ours.allowed("cross_entropy", **given))
    holds(ours, "reductions_agree", target=Y)


@shows("b-claim-5")
def test_weighted_mean_divides_by_the_weights_of_the_targets(ours):
    holds(ours, "weighted_mean_divides_by_target_weights", target=Y, weight=W)


@refutes("b-claim-6")
def test_weighted_mean_does_not_divide_by_the_number_of_rows(ours):
    given = {"logits": X, "target": Y, "weight": W}
    rows = ours.value("cross_entropy", **given, reduction="none")
    assert abs(ours.value("cross_entropy", **given) - rows.mean()) > ours.allowed("cross_entropy", **given)
    assert abs(rows.sum() / np.sum(np.asarray(W)[Y]) - rows.mean()) > ours.allowed("cross_entropy", **given)


@refutes("b-claim-6")
def test_weighted_mean_over_probabilities_does_divide_by_the_number_of_rows(ours):
    given = {"logits": X, "target": T, "weight": W}
    rows = {**given, "reduction": "none"}
    allowed = ours.allowed("cross_entropy", **given) + ours.allowed("cross_entropy", **rows).mean()
    agree(ours.value("cross_entropy", **given), ours.value("cross_entropy", **rows).mean(), allowed)


@shows("b-claim-7")
@pytest.mark.parametrize("label_smoothing", [0.1, 1.0])
def test_label_smoothing_mixes_the_target_with_the_uniform_one(ours, label_smoothing):
    holds(ours, "smoothing_is_explicit_target", target=Y, label_smoothing=label_smoothing)


@shows("b-claim-8")
def test_label_smoothing_lies_between_0_and_1(ours):
    taken = [ours.outcome(ours.case("cross_entropy", logits=X, target=Y, label_smoothing=a)).results for a in (0.0, 0.5, 1.0)]
    assert all(taken)
    assert ours.outcome(ours.case("cross_entropy", logits=X, target=Y, label_smoothing=1.5)).raised


@shows("b-claim-9")
@pytest.mark.parametrize("ignore_index", [-100, -1, 3, 255])
def test_ignored_rows_add_nothing_to_loss_and_gradient(ours, ignore_index):
    target = [0, ignore_index, 1]
    given = {"logits": X, "target": target, "ignore_index": ignore_index}
    without = {"logits": [X[0], X[2]], "target": [0, 1]}
    allowed = ours.allowed("cross_entropy", **given) + ours.allowed("cross_entropy", **without)
    agree(ours.value("cross_entropy", **given), ours.value("cross_entropy", **without), allowed)
    case = ours.case("cross_entropy", **given, grad_output=np.float32(1))
    gradient = ours.results(case, "backward")["grad_logits"]
    assert np.all(gradient[1] == 0)
    assert np.all(gradient[[0, 2]] != 0)


@shows("b-claim-10")
@pytest.mark.parametrize("outside", [-1, 4])
def test_class_indices_are_less_than_the_number_of_classes(ours, outside):
    assert ours.outcome(ours.case("cross_entropy", logits=X, target=[0, 3, outside])).raised


@shows("b-claim-11")
def test_targets_are_class_indices_or_probabilities(ours):
    for target in (Y, ONE_HOT, T):
        ours.assert_right(ours.case("cross_entropy", logits=X, target=target), "value")


DEPRECATED = {
    "none": [{"reduce": False}, {"reduce": False, "size_average": False}],
    "mean": [{"reduce": True}, {"size_average": True}],
    "sum": [{"size_average": False}, {"reduce": True, "size_average": False}],
}


@shows("b-claim-12", "b-claim-13")
@pytest.mark.parametrize(("reduction", "deprecated"), [(name, options) for name, all_of in DEPRECATED.items() for options in all_of])
def test_size_average_and_reduce_are_deprecated_spellings_of_the_reduction(torch_eager, reduction, deprecated):
    other = "sum" if reduction == "mean" else "mean"
    with pytest.warns(UserWarning, match="deprecated"):
        results = torch_eager.results(torch_eager.case("cross_entropy", logits=X, target=Y, reduction=other, **deprecated))
    expected = torch_eager.results(torch_eager.case("cross_entropy", logits=X, target=Y, reduction=reduction))
    assert np.array_equal(results["value"], expected["value"])


@shows("b-claim-14")
def test_log_softmax_is_the_logarithm_of_softmax(ours):
    given = {"logits": X, "axis": 1}
    left, p = ours.value("log_softmax", **given), ours.value("softmax", **given)
    allowed = ours.allowed("log_softmax", **given).reshape(p.shape)
    agree(left, log_p(), allowed)
    agree(left, np.log(p), allowed, -np.log1p(-ours.allowed("softmax", **given).reshape(p.shape) / p))


@shows("b-claim-15")
def test_log_softmax_is_stable_where_softmax_underflows(ours):
    given = {"logits": [[0.0, -1000.0]], "axis": 1}
    with np.errstate(divide="ignore"):
        assert np.log(ours.value("softmax", **given))[0, 1] == -np.inf
    assert ours.value("log_softmax", **given)[0, 1] == -1000.0


@shows("b-claim-16")
def test_duplicating_the_batch_leaves_the_mean_alone(ours):
    holds(ours, "duplicated_batch_keeps_mean", target=Y)


@shows("b-claim-17")
def test_the_mean_is_already_divided_by_the_number_of_rows(ours):
    given = {"logits": X, "target": Y}
    loss, mean = ours.value("cross_entropy", **given), -log_p()[np.arange(3), Y].mean()
    allowed = ours.allowed("cross_entropy", **given)
    agree(loss, mean, allowed)
    assert abs(loss - mean / 3) > allowed


@shows("b-claim-19")
@pytest.mark.parametrize("target", [Y, T], ids=["index", "probabilities"])
def test_gradients_of_both_kinds_of_target_are_right(ours, target):
    case = ours.case("cross_entropy", logits=X, target=target, grad_output=np.float32(1))
    ours.assert_right(case, "value", "grad_logits")
