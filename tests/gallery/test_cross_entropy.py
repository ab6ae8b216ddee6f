"""The honest implementation that all entries share: what it refuses, and the shapes and dtypes of what it returns."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import CrossEntropy
from xentfuzz.gallery.observe import run_backward, run_forward

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]

REFUSED = {
    "a label beyond the classes": (call(TWO, [0, 3]), IndexError),
    "a negative label": (call(TWO, [0, -1]), IndexError),
    "too many labels": (call(TWO, [0, 1, 2]), ValueError),
    "fractional labels": (call(TWO, [0.0, 1.0], target_dtype="float32"), TypeError),
    "integer probabilities": (call(TWO, [[0, 1, 0], [1, 0, 0]]), ValueError),
    "a weight too few": (call(TWO, [0, 1], weight=[1.0, 2.0]), ValueError),
    "an unknown reduction": (call(TWO, [0, 1], reduction="max"), ValueError),
    "smoothing above 1": (call(TWO, [0, 1], label_smoothing=1.5), ValueError),
    "ignore_index with probabilities": (call(TWO, TWO, ignore_index=1), ValueError),
    "no classes": (call(lambda: np.zeros((2, 0)), [0, 1]), ValueError),
    "no class axis": (call(1.0, 0), ValueError),
    "integer logits": (call([[0, 1]], [0], dtype="int64"), TypeError),
}


@pytest.mark.parametrize(("refused", "error"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_answered_is_refused(refused, error):
    with pytest.raises(error):
        run_forward(CrossEntropy(), refused)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize(("shape", "positions"), [((3,), ()), ((2, 3), (2,)), ((2, 3, 4), (2, 4)), ((2, 3, 4, 5), (2, 4, 5))])
def test_shapes_and_dtypes(dtype, reduction, shape, positions):
    one = call(lambda: np.zeros(shape), lambda: np.zeros(positions, np.int64), dtype=dtype, reduction=reduction)
    loss, gradient = run_forward(CrossEntropy(), one), run_backward(CrossEntropy(), one)
    assert loss.shape == (positions if reduction == "none" else ())
    assert gradient.shape == shape
    assert {loss.dtype.name, gradient.dtype.name} == {dtype}


def test_the_same_problem_in_every_rank():
    flat = np.arange(24.0).reshape(8, 3) % 5
    labels = np.arange(8) % 3
    deep = np.moveaxis(flat.reshape(2, 2, 2, 3), -1, 1)
    two = run_forward(CrossEntropy(), call(lambda: flat, lambda: labels))
    four = run_forward(CrossEntropy(), call(lambda: deep, lambda: labels.reshape(2, 2, 2)))
    assert two == four
