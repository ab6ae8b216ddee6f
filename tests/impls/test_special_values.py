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
