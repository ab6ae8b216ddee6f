"""The answers that the usual ways take for right."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.power.usual.case import Arguments
from xentfuzz.power.usual.close import numpy_close
from xentfuzz.power.usual.reference import case_of

LOGITS, TARGET = np.float32([[0, 1, 3], [2, 0, 1]]), np.array([0, 1])
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
LOSSES = -np.log(SOFTMAX[[0, 1], TARGET])


def test_loss_and_gradient_are_those_of_the_formula():
    case = case_of(Arguments(LOGITS, TARGET, options={"reduction": "none"}), numpy_close(), upstream=np.float32([1, 2]))
    assert case.loss == pytest.approx(LOSSES)
    gradient = SOFTMAX - np.eye(3)[TARGET]
    assert case.gradient == pytest.approx(gradient * [[1], [2]], abs=1e-6)


def test_without_an_upstream_gradient_there_is_none():
    case = case_of(Arguments(LOGITS, TARGET), numpy_close())
    assert case.loss == pytest.approx(LOSSES.mean())
    assert (case.grad_output, case.gradient, case.gradient_close) == (None, None, None)


def test_another_arithmetic_is_rounded_to_the_logits_dtype():
    logits = LOGITS.astype(np.float16)
    case = case_of(Arguments(logits, TARGET, weight=np.float16([1, 2, 3])), numpy_close(), upstream=1.0, arithmetic="float64")
    assert (case.dtype, case.loss.dtype, case.gradient.dtype) == ("float16", np.float16, np.float16)
    assert float(case.loss) == pytest.approx(np.average(LOSSES, weights=[1, 2]), rel=1e-3)


def test_a_layout_keeps_the_values():
    case = case_of(Arguments(LOGITS, TARGET, layout="sliced_columns"), numpy_close())
    assert case.logits.strides == (24, 8)
    assert case.target.strides == (16,)
    assert (case.logits.view() == LOGITS).all()
    assert case.loss == pytest.approx(LOSSES.mean())


def test_a_target_of_the_logits_shape_holds_probabilities():
    case = case_of(Arguments(LOGITS, SOFTMAX.astype(np.float32)), numpy_close())
    assert case.has_probabilities
    assert not case_of(Arguments(LOGITS, TARGET), numpy_close()).has_probabilities
