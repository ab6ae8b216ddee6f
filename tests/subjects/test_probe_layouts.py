"""A layout that is refused altogether is on the card, whichever array, rank or function refuses it, and no case is drawn with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from xentfuzz.implementation import Implementation
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.runner.check import check
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.probe import MOST_CALLS, capabilities_of
from xentfuzz.subjects.probe_layouts import SAME_AT_EVERY_RANK

STRIDED = set(LAYOUTS) - set(SAME_AT_EVERY_RANK)


def refuses_strides(array):
    if not array.flags.c_contiguous:
        raise AssertionError


def refuses_any_last_stride(array):
    if array.size and array.ndim and array.strides[-1] != array.itemsize:
        raise ValueError(f"the last stride is {array.strides[-1]} bytes, in {array.strides}")


def refuses_stride_zero(array):
    if array.size and 0 in array.strides:
        raise ValueError("refuses stride 0")


def numpy_kernel(require, picky):
    """A forward and a backward that call `require` with the arrays named in `picky`."""

    def forward(logits, target, *, weight=None, reduction="mean"):
        given = {"logits": logits, "target": target, "weight": weight}
        for name in picky & {name for name, array in given.items() if array is not None}:
            require(given[name])
        shape = target.shape if reduction == "none" else ()
        return np.zeros(shape, logits.dtype)

    def backward(grad_output, logits, target, *, weight=None, reduction="mean"):
        if "grad_output" in picky:
            require(grad_output)
        return np.zeros_like(logits)

    return forward, backward


class Counted(InProcess):
    calls = 0

    def call(self, call):
        self.calls += 1
        return super().call(call)


def probed(require, *picky):
    forward, backward = numpy_kernel(require, set(picky))
    subject = Counted(Implementation("subject", forward, backward=backward))
    found = capabilities_of(subject)
    assert subject.calls <= MOST_CALLS
    return set(LAYOUTS) - set(found.layouts), [line for line in found.rejections if "layouts" in line]


def test_every_layout_is_tried_and_a_refusal_in_the_same_words_is_one_line():
    refused, lines = probed(refuses_strides, "logits")
    assert refused == STRIDED
    assert len(lines) == 1
    assert lines[0].endswith(" layouts: AssertionError")
    assert probed(lambda _: None, "logits") == (set(), [])


def test_only_the_layouts_with_the_refused_stride_go_whatever_figures_the_message_has():
    # Of one row every second element is refused, though not of a matrix every second row.
    wanted = {"fortran", "channels_last", "sliced_rows", "sliced_columns", "negative_stride", "broadcast_last", "expanded"}
    refused, lines = probed(refuses_any_last_stride, "logits")
    assert refused == wanted
    assert len(lines) == 1
    assert probed(refuses_stride_zero, "logits")[0] == {"broadcast", "broadcast_last", "expanded"}


@pytest.mark.parametrize("name", ["target", "grad_output"])
def test_a_layout_that_another_array_refuses_goes_too(name):
    refused, _ = probed(refuses_strides, name)
    # A target has no layout that needs three axes unless the logits have four.
    assert refused == STRIDED


def test_a_broken_backward_refuses_no_layout():
    forward, _ = numpy_kernel(refuses_strides, set())

    def backward(grad_output, logits, target):
        raise RuntimeError("not today")

    found = capabilities_of(InProcess(Implementation("subject", forward, backward=backward)))
    assert found.layouts == tuple(LAYOUTS)


class RefusesStridedUpstream(torch.autograd.Function):
    @staticmethod
    def forward(ctx, loss):
        return loss.clone()

    @staticmethod
    def backward(ctx, grad_output):
        if not grad_output.is_contiguous():
            raise ValueError("grad_output must be contiguous")
        return grad_output


def contiguous_only(logits, target, *, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    if not logits.is_contiguous():
        raise ValueError("logits must be contiguous")
    return functional.cross_entropy(logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)


def upstream_only(logits, target, *, ignore_index=-100, reduction="mean"):
    return RefusesStridedUpstream.apply(functional.cross_entropy(logits, target, ignore_index=ignore_index, reduction=reduction))


def test_what_autograd_hands_back_is_tried_in_every_layout():
    found = capabilities_of(InProcess(Implementation("subject", upstream_only, array="torch")))
    assert set(found.layouts) == {"contiguous", "inside_larger_buffer", "unaligned"}


@pytest.mark.parametrize(("forward", "accused"), [(contiguous_only, set()), (upstream_only, {"torch_upstream_gradients"})])
def test_a_kernel_that_refuses_strides_is_accused_only_of_what_autograd_hands_it(forward, accused):
    implementation = Implementation("subject", forward, array="torch", dtypes=("float32",))
    report = check(implementation, profile="quick", max_examples=12, seed=0, isolate=False)
    assert {failure.check for failure in report.failures} == accused
