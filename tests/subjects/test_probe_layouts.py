"""A layout that is refused altogether is on the card, whichever array, rank or function refuses it, and no case is drawn with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from xentfuzz.implementation import Implementation
from xentfuzz.impls.numpy_stable import nll_loss
from xentfuzz.recipes.layouts import LAYOUTS
from xentfuzz.runner.check import check
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.probe import capabilities_of
from xentfuzz.subjects.probe_calls import MOST_CALLS, MOST_CONFIRMATIONS
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


def card(require, *picky):
    forward, backward = numpy_kernel(require, set(picky))
    subject = Counted(Implementation("subject", forward, backward=backward))
    found = capabilities_of(subject)
    assert subject.calls <= MOST_CALLS + MOST_CONFIRMATIONS
    return found


def probed(require, *picky):
    found = card(require, *picky)
    return set(LAYOUTS) - set(found.layouts), [line for line in found.rejections if "layouts" in line]


def test_every_layout_is_tried_and_a_refusal_in_the_same_words_is_one_line():
    refused, lines = probed(refuses_strides, "logits")
    assert refused == STRIDED
    assert len(lines) == 1
    assert lines[0].endswith(" layouts: AssertionError")
    assert probed(lambda _: None, "logits") == (set(), [])


def test_only_the_layouts_with_the_refused_stride_go_whatever_figures_the_message_has():
    # Of one row every second element is refused, though not of a matrix every second row.
    wanted = {"fortran", "channels_last", "sliced_columns", "negative_stride", "broadcast_last", "expanded"}
    found = card(refuses_any_last_stride, "logits")
    assert set(LAYOUTS) - set(found.layouts) == wanted
    assert found.refused_layouts == {1: ("sliced_rows",)}
    lines = [line.partition(":")[0] for line in found.rejections]
    assert lines[1:] == ["rejects sliced_rows layouts of 1-d logits"]
    assert probed(refuses_stride_zero, "logits")[0] == {"broadcast", "broadcast_last", "expanded"}


@pytest.mark.parametrize("name", ["target", "grad_output"])
def test_a_layout_that_another_array_refuses_goes_too(name):
    found = card(refuses_strides, name)
    # Of four axes the target has three, of two one, of one none.
    assert STRIDED.isdisjoint(found.layouts_at(4))
    assert {"sliced_rows", "expanded"}.isdisjoint(found.layouts_at(2))
    assert {"fortran", "sliced_columns"} <= {*found.layouts_at(2)}
    assert found.layouts_at(1) == tuple(LAYOUTS)


def raises_only_of_four_axes(array):
    if array.ndim == 4:
        refuses_strides(array)


def raises_only_of_matrices(array):
    if array.ndim == 2:
        refuses_strides(array)


@pytest.mark.parametrize(("require", "rank"), [(raises_only_of_four_axes, 4), (raises_only_of_matrices, 2)])
def test_a_layout_that_one_rank_refuses_is_still_given_to_the_others(require, rank):
    found = card(require, "logits")
    assert found.layouts == tuple(LAYOUTS)
    assert {*found.refused_layouts} == {rank}
    assert {name for name in STRIDED if LAYOUTS[name].minimum_rank <= rank} == {*found.refused_layouts[rank]}
    assert all(line.startswith("rejects") and f" of {rank}-d logits:" in line for line in found.rejections)


def reads_memory_order(log_probs, target, *, reduction="mean"):
    """Correct for arrays in C order, refuses others of rank 4."""
    raises_only_of_four_axes(log_probs)
    if log_probs.flags.f_contiguous:
        log_probs = log_probs.ravel("K").reshape(log_probs.shape)
    return nll_loss(log_probs, target, reduction=reduction)


def test_a_bug_of_strides_is_found_at_the_ranks_that_do_not_raise():
    implementation = Implementation("subject", reads_memory_order, operation="nll_loss", dtypes=("float32",))
    report = check(implementation, profile="quick", max_examples=60, seed=0, isolate=False, checks=["value"])
    assert [failure.kind for failure in report.failures] == ["value"]


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
    assert set(found.layouts_at(4)) == {"contiguous", "inside_larger_buffer", "unaligned"}


@pytest.mark.parametrize(("forward", "accused"), [(contiguous_only, set()), (upstream_only, {"torch_upstream_gradients"})])
def test_a_kernel_that_refuses_strides_is_accused_only_of_what_autograd_hands_it(forward, accused):
    implementation = Implementation("subject", forward, array="torch", dtypes=("float32",))
    report = check(implementation, profile="quick", max_examples=12, seed=0, isolate=False)
    assert {failure.check for failure in report.failures} == accused


@pytest.mark.parametrize(
    ("error", "rows", "taken"),
    [(ValueError("C order"), (3,), True), (RuntimeError("launch failed"), range(99), True), (ValueError("C order"), range(99), False)],
)
def test_a_layout_is_missing_where_it_is_refused_on_purpose_and_at_other_shapes(error, rows, taken):
    def forward(logits, target):
        if logits.ndim == 2 and not logits.flags.c_contiguous and len(logits) in rows:
            raise error
        return np.asarray(0, logits.dtype)

    found = capabilities_of(InProcess(Implementation("subject", forward)))
    assert ("fortran" in found.layouts_at(2)) == taken
    assert any("fortran" in line for line in found.doubtful) == taken
