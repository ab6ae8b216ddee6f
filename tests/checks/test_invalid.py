"""What must raise, raises; what may differ from call to call is not accused of it."""

from __future__ import annotations

import numpy as np
import pytest

import xentfuzz
from xentfuzz.gallery.catalogue import entry
from xentfuzz.recipes.recipe import recipe_from
from xentfuzz.runner.check import run_recipe

SUMS = {
    "operation": "cross_entropy",
    "dtype": "float32",
    "shape": (1, 513),
    "arrays": {
        "logits": {"regime": "ascending", "seed": 25845},
        "target": {"regime": "cycle", "seed": 25845},
        "weight": {"regime": "positive", "seed": 25845},
        "grad_output": {"regime": "ones", "seed": 25845},
    },
    "options": {"reduction": "sum", "label_smoothing": 0.3},
}
CHECK = "rejects_out_of_range_targets"


@pytest.mark.parametrize("name", ["shuffled_sums", "two_pass_shift", "nan_for_labels_out_of_range"])
def test_honest_implementations_pass(name):
    assert run_recipe(entry(name).implementation, CHECK, recipe_from(SUMS)) is None


@pytest.mark.parametrize("name", ["R18", "D36", "D37"])
def test_an_answer_where_an_error_is_required_is_found(name):
    failure = run_recipe(entry(name).implementation, CHECK, recipe_from(SUMS))
    assert failure is not None
    assert failure.kind == "accepted_invalid"


def flattened_target(logits, target):
    return target.reshape(-1) if target.size == len(logits) else target


def integers_as_probabilities(logits, target):
    return target.argmax(axis=1) if target.shape == logits.shape else target


def first_row_for_all(logits, target):
    return np.broadcast_to(target, (len(logits),)) if target.shape == (1,) else target


@pytest.mark.parametrize("lenient", [None, flattened_target, integers_as_probabilities, first_row_for_all])
def test_every_shape_that_does_not_fit_has_to_raise(lenient):
    def cross_entropy(logits, target, *, ignore_index=-100, reduction="mean"):
        if lenient is not None:
            target = lenient(logits, target)
        if target.shape != logits.shape[:1]:
            message = f"target of shape {target.shape}, wanted {logits.shape[:1]}"
            raise ValueError(message)
        return honest(logits, target, ignore_index=ignore_index, reduction=reduction)

    honest = xentfuzz.get("numpy").forward
    implementation = xentfuzz.Implementation("mine", cross_entropy, dtypes=("float32",), supports={"ranks": (2,), "targets": ("index",)})
    report = xentfuzz.check(implementation, profile="quick", seed=0, checks=["rejects_mismatched_shapes"], isolate=False)
    assert [failure.kind for failure in report.failures] == ([] if lenient is None else ["accepted_invalid"])


def single_weight(weight, _):
    return np.broadcast_to(weight, (5,)) if weight.size == 1 else weight


def weight_of_rows(weight, logits):
    return np.ones(logits.shape[1], weight.dtype) if weight.shape == logits.shape[:1] else weight


def weight_of_logits(weight, logits):
    return weight[0] if weight.shape == logits.shape else weight


@pytest.mark.parametrize("lenient", [None, single_weight, weight_of_rows, weight_of_logits])
def test_every_weight_that_does_not_fit_has_to_raise(lenient):
    def cross_entropy(logits, target, *, weight=None, reduction="mean"):
        if lenient is not None and weight is not None:
            weight = lenient(weight, logits)
            weight = np.resize(weight, logits.shape[1]) if lenient is single_weight and weight.shape == (5,) else weight
        return honest(logits, target, weight=weight, reduction=reduction)

    honest = xentfuzz.get("numpy").forward
    supports = {"ranks": (2,), "targets": ("index",), "options": {"reduction": None, "ignore_index": ()}}
    implementation = xentfuzz.Implementation("mine", cross_entropy, dtypes=("float32",), supports=supports)
    report = xentfuzz.check(implementation, profile="quick", seed=0, checks=["rejects_mismatched_shapes"], isolate=False)
    assert [failure.kind for failure in report.failures] == ([] if lenient is None else ["accepted_invalid"])
    assert all("weight of shape" in failure.message for failure in report.failures)


def broadcast_to_rows(upstream, target):
    return np.broadcast_to(upstream.reshape(-1), target.shape) if upstream.size == 1 else upstream


def in_another_order(upstream, target):
    return upstream.reshape(-1)[::-1] if upstream.shape == (*target.shape, 1) else upstream


def in_its_order(upstream, target):
    return upstream.reshape(target.shape) if upstream.size == target.size else upstream


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize(
    ("lenient", "kinds"),
    [(None, []), (in_its_order, []), (broadcast_to_rows, ["accepted_invalid"]), (in_another_order, ["accepted_invalid"])],
)
def test_an_upstream_gradient_that_does_not_fit_raises_or_is_taken_in_its_order(lenient, kinds, factor):
    # That every gradient is wrong by a factor is for another check to find.
    def gradient(grad_output, logits, target, *, reduction="mean"):
        if reduction == "none" and lenient is not None:
            grad_output = lenient(grad_output, target)
        return factor * honest.backward(grad_output, logits, target, reduction=reduction)

    honest = xentfuzz.get("numpy")
    supports = {"ranks": (2,), "targets": ("index",), "options": {"reduction": None, "ignore_index": ()}}
    implementation = xentfuzz.Implementation(
        "mine",
        lambda logits, target, *, reduction="mean": honest.forward(logits, target, reduction=reduction),
        backward=gradient,
        dtypes=("float32",),
        supports=supports,
    )
    report = xentfuzz.check(implementation, profile="quick", seed=0, checks=["rejects_mismatched_shapes"], isolate=False)
    assert [failure.kind for failure in report.failures] == kinds
    assert all("for a loss of shape" in failure.message for failure in report.failures)


@pytest.mark.parametrize(("lenient", "kinds"), [(False, []), (True, ["accepted_invalid"])])
def test_a_target_of_several_rows_for_logits_without_a_batch_axis_has_to_raise(lenient, kinds):
    def cross_entropy(logits, target, *, reduction="mean"):
        return honest(logits, target.reshape(-1)[0] if lenient else target, reduction=reduction)

    honest = xentfuzz.get("numpy").forward
    implementation = xentfuzz.Implementation("mine", cross_entropy, dtypes=("float32",), supports={"ranks": (1,), "targets": ("index",)})
    report = xentfuzz.check(implementation, profile="quick", seed=0, checks=["rejects_mismatched_shapes"], isolate=False)
    assert [failure.kind for failure in report.failures] == kinds


@pytest.mark.parametrize("dtype", ["int32", "uint8"])
@pytest.mark.parametrize(("lenient", "kinds"), [(False, []), (True, ["accepted_invalid"])])
def test_targets_of_any_dtype_that_is_taken_may_be_out_of_range(dtype, lenient, kinds):
    def cross_entropy(logits, target, *, reduction="mean"):
        return honest(logits, target.astype(np.int64) % logits.shape[1] if lenient else target.astype(np.int64), reduction=reduction)

    honest = xentfuzz.get("numpy").forward
    supports = {"ranks": (2,), "targets": ("index",), "target_dtypes": (dtype,), "options": {"reduction": None, "ignore_index": ()}}
    implementation = xentfuzz.Implementation("mine", cross_entropy, dtypes=("float32",), supports=supports)
    report = xentfuzz.check(implementation, profile="quick", seed=0, checks=[CHECK], isolate=False)
    assert [failure.kind for failure in report.failures] == kinds


@pytest.mark.parametrize(("largest", "kinds"), [(1, []), (1.25, ["accepted_invalid"]), (float("inf"), ["accepted_invalid"])])
def test_every_smoothing_beyond_1_has_to_raise(largest, kinds):
    def cross_entropy(logits, target, *, label_smoothing=0.0):
        if not 0 <= label_smoothing <= largest:
            message = f"label_smoothing {label_smoothing}, wanted 0 to 1"
            raise ValueError(message)
        return honest(logits, target, label_smoothing=min(label_smoothing, 1.0))

    honest = xentfuzz.get("numpy").forward
    implementation = xentfuzz.Implementation("mine", cross_entropy, dtypes=("float32",), supports={"ranks": (2,), "targets": ("index",)})
    report = xentfuzz.check(implementation, profile="quick", seed=0, checks=["rejects_invalid_options"], isolate=False)
    assert [failure.kind for failure in report.failures] == kinds
