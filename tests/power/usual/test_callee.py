"""An entry is called as it declares: other names, torch tensors, no backward; what it leaves out is not asked of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xentfuzz.gallery.catalogue import entry
from xentfuzz.power.usual.callee import Callee
from xentfuzz.power.usual.case import Arguments
from xentfuzz.power.usual.close import numpy_close
from xentfuzz.power.usual.reference import case_of

LOGITS, TARGET = np.float32([[0, 1, 3], [2, 0, 1]]), np.array([0, 1])
PLAIN = case_of(Arguments(LOGITS, TARGET), numpy_close(), upstream=2.0)
WEIGHTED = case_of(Arguments(LOGITS, TARGET, np.float32([1, 2, 3]), {"ignore_index": 1}), numpy_close(), upstream=1.0)
SOFT = case_of(Arguments(LOGITS, np.full((2, 3), 1 / 3, np.float32)), numpy_close(), upstream=1.0)
GAPS = case_of(Arguments(LOGITS, TARGET, layout="sliced_columns"), numpy_close(), upstream=1.0)


@pytest.mark.parametrize("name", ["two_pass_shift", "own_spelling", "autograd_function", "overwrites_logits", "numpy_scalars"])
@pytest.mark.parametrize("case", [PLAIN, WEIGHTED, GAPS], ids=["plain", "weighted", "gaps"])
def test_honest_implementations_answer_as_torch_does(name, case):
    loss, gradient = Callee(entry(name)).loss_and_gradient(case)
    assert loss == pytest.approx(case.loss, rel=1e-5)
    assert gradient == pytest.approx(case.gradient, rel=1e-4, abs=1e-6)


def test_arguments_are_fresh_for_every_call():
    callee = Callee(entry("overwrites_logits"))
    callee.loss_and_gradient(PLAIN)
    assert (PLAIN.logits.view() == LOGITS).all()


def test_without_a_backward_there_is_no_gradient():
    assert Callee(entry("forward_only")).loss_and_gradient(PLAIN)[1] is None


def test_a_declared_dtype_of_the_loss_is_no_difference():
    case = case_of(Arguments(LOGITS.astype(np.float16), TARGET), numpy_close())
    loss, _ = Callee(entry("float32_loss")).loss_and_gradient(case)
    assert loss.dtype == np.float16


@pytest.mark.parametrize(
    ("name", "case", "refused"),
    [
        ("two_pass_shift", GAPS, False),
        ("contiguous_only", GAPS, True),
        ("contiguous_only", PLAIN, False),
        ("indices_only", SOFT, True),
        ("indices_only", WEIGHTED, True),
        ("indices_only", PLAIN, False),
        ("own_spelling", WEIGHTED, False),
        ("float32_loss", PLAIN, True),
        ("online_elements", replace(PLAIN, logits=replace(PLAIN.logits, shape=(2, 4096))), True),
    ],
)
def test_what_a_declaration_leaves_out_is_refused(name, case, refused):
    assert Callee(entry(name)).refuses(case) == refused
