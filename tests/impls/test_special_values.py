"""Hand-written cases that single out one rule each; what is right, or allowed, is the operation's exact result."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.dtypes import FORMATS, numpy_dtype

INF, NAN = np.inf, np.nan

# name -> arguments of cross_entropy; floating arrays are converted to the dtype under test. "max" in logits is the dtype's largest number.
CASES = {
    "ascending": {"logits": [np.arange(13.0), np.arange(13.0)[::-1]], "target": [12, 11]},
    "masked class": {"logits": [[0.0, -INF, 2.0]], "target": [2]},
    "masked target": {"logits": [[0.0, -INF, 2.0], [1.0, 2.0, 3.0]], "target": [1, 2], "reduction": "none"},
    "masked class of no probability": {"logits": [[0.0, -INF, 2.0]], "target": [[0.25, 0.0, 0.75]]},
    "masked class with smoothing": {"logits": [[0.0, -INF, 2.0]], "target": [2], "label_smoothing": 0.5},
    "masked class of no weight": {"logits": [[0.0, -INF, 2.0]], "target": [2], "weight": [1.0, 0.0, 2.0], "label_smoothing": 0.5},
    "nothing but masked classes": {"logits": [[-INF, -INF], [0.0, 1.0]], "target": [0, 1], "reduction": "none"},
    "NaN": {"logits": [[0.0, NAN, 2.0], [1.0, 2.0, 3.0]], "target": [2, 0], "reduction": "none"},
    "infinite logit": {"logits": [[0.0, INF, 2.0], [1.0, 2.0, 3.0]], "target": [2, 0], "reduction": "none"},
    "ignored row of NaN": {"logits": [[NAN, INF, -INF], [1.0, 2.0, 3.0]], "target": [-100, 0]},
    "ignored row with smoothing and weights": {
        "logits": [[5.0, 2.0, 1.0], [1.0, 2.0, 3.0]],
        "target": [1, 0],
        "ignore_index": 1,
        "weight": [0.5, 4.0, 2.0],
        "label_smoothing": 0.25,
    },
    "everything ignored": {"logits": [[1.0, 2.0], [3.0, 4.0]], "target": [-1, -1], "ignore_index": -1},
    "weights of zero": {"logits": [[1.0, 2.0], [3.0, 4.0]], "target": [0, 0], "weight": [0.0, 1.0]},
    "weights that sum to less than zero": {"logits": [[1.0, 2.0], [3.0, 1.0]], "target": [0, 1], "weight": [-3.0, 1.0]},
    "NaN weight of no target": {"logits": [[1.0, 2.0], [3.0, 1.0]], "target": [0, 0], "weight": [2.0, NAN]},
    "probabilities that do not sum to one": {"logits": [[1.0, 2.0, 0.5]], "target": [[2.0, 3.0, -1.0]], "weight": [1.0, 2.0, 3.0]},
    "no probability at all": {"logits": [[1.0, 2.0, 0.5]], "target": [[0.0, 0.0, 0.0]]},
    "one class": {"logits": [[3.0], [-4.0]], "target": [0, 0], "reduction": "sum"},
    "largest logits": {"logits": [["max", "max"], [0.0, 1.0]], "target": [0, 1], "reduction": "none"},
    "loss beyond the largest number": {"logits": [["max", "-max"], [0.0, 1.0]], "target": [1, 1], "reduction": "none"},
    "target far below": {"logits": [[0.0, -300.0, 1.0]], "target": [1], "label_smoothing": 0.25},
    "one row": {"logits": [1.0, 2.0, 3.0], "target": 1, "label_smoothing": 0.25},
}


def converted(values, dtype):
    largest = FORMATS[dtype].max
    numbers = [[{"max": largest, "-max": -largest}.get(x, x) for x in row] if isinstance(row, list) else row for row in values]
    return np.array(numbers, numpy_dtype(dtype))


def arguments(case, dtype):
    given = dict(CASES[case])
    probabilities = np.shape(given["target"]) == np.shape(given["logits"])
    floating = ("logits", "weight", "target") if probabilities else ("logits", "weight")
    given.update({name: converted(given[name], dtype) for name in floating if name in given})
    given["target"] = np.asarray(given["target"])
    shape = given["target"].shape[:1] if given.get("reduction") == "none" else ()
    return {**given, "grad_output": np.full(shape, 0.5, numpy_dtype(dtype))}


@pytest.mark.parametrize("case", CASES)
def test_loss_and_gradient_are_right(kernels, case, dtype):
    kernels.assert_right(kernels.case("cross_entropy", **arguments(case, dtype)), "value", "grad_logits")


@pytest.mark.parametrize("case", [name for name in CASES if np.ndim(CASES[name]["target"]) < np.ndim(CASES[name]["logits"])])
def test_nll_loss_and_its_gradient_are_right(kernels, case, dtype):
    given = arguments(case, dtype)
    given["log_probs"] = given.pop("logits")
    given.pop("label_smoothing", None)
    kernels.assert_right(kernels.case("nll_loss", **given), "value", "grad_log_probs")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("operation", ["softmax", "log_softmax"])
def test_softmax_and_its_gradient_are_right(kernels, case, operation, dtype):
    logits = converted(CASES[case]["logits"], dtype)
    upstream = np.linspace(-1, 2, logits.size).reshape(logits.shape).astype(logits.dtype)
    kernels.assert_right(kernels.case(operation, logits=logits, axis=-1, grad_output=upstream), "value", "grad_logits")


def test_mean_of_losses_whose_sum_overflows_is_a_number(kernels):
    largest = np.finfo(np.float64).max
    logits = np.array([[0.8 * largest, -0.1 * largest]] * 2)
    loss = kernels.value("cross_entropy", logits=logits, target=np.array([1, 1]))
    assert 0.89 * largest < loss < 0.91 * largest


# Where several outcomes are allowed, these are the ones that our kernels choose.


@pytest.mark.parametrize("target", [np.zeros(0, np.int64), np.array([-100, -100])], ids=["no rows", "everything ignored"])
@pytest.mark.parametrize(("operation", "first"), [("cross_entropy", "logits"), ("nll_loss", "log_probs")])
def test_the_mean_of_nothing_is_nan_and_its_gradient_zero(kernels, operation, first, target):
    given = {first: np.ones((target.size, 3), np.float32), "target": target, "grad_output": np.float32(1)}
    assert np.isnan(kernels.value(operation, **given))
    assert np.all(kernels.results(kernels.case(operation, **given), "backward")[f"grad_{first}"] == 0)


def test_an_ignored_row_of_nan_has_a_gradient_of_zero(kernels):
    logits = np.array([[np.nan, np.inf, -np.inf], [1, 2, 3]], np.float32)
    case = kernels.case("cross_entropy", logits=logits, target=np.array([-100, 1]), grad_output=np.float32(1))
    assert np.all(kernels.results(case, "backward")["grad_logits"][0] == 0)


def test_a_masked_class_of_no_probability_takes_no_part(kernels):
    masked, without = np.array([[0, -np.inf, 2]], np.float32), np.array([[0, 2]], np.float32)
    values = [
        kernels.value("cross_entropy", logits=logits, target=target)
        for logits, target in ((masked, [[0.25, 0.0, 0.75]]), (without, [[0.25, 0.75]]))
    ]
    assert values[0] == values[1]


def test_a_row_of_minus_infinity_has_a_loss_of_nan(kernels):
    assert np.isnan(kernels.value("cross_entropy", logits=np.full((1, 3), -np.inf, np.float32), target=np.array([0])))


def test_a_nan_makes_a_loss_nan_even_without_any_probability(kernels):
    assert np.isnan(kernels.value("cross_entropy", logits=np.array([[np.nan, 1]], np.float32), target=[[0.0, 0.0]]))


@pytest.mark.parametrize(("numerator", "rounded"), [(129, 194), (131, 196)])
def test_losses_in_bfloat16_are_rounded_to_nearest_even(kernels, numerator, rounded):
    bfloat16 = numpy_dtype("bfloat16")
    given = {"log_probs": np.array([[-numerator / 128]], bfloat16), "weight": np.array([1.5], bfloat16), "reduction": "sum"}
    assert kernels.value("nll_loss", target=np.array([0]), **given) == rounded / 128
