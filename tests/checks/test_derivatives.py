"""Second derivatives, forward mode and vmap of torch functions: right, refused, or found."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch.autograd.function import once_differentiable

import xentfuzz

CHECKS = ["second_derivatives", "forward_mode", "vectorised_calls"]
SUPPORTS = {"ranks": (2,), "targets": ("index",), "options": {"reduction": ("none",), "ignore_index": ()}}


class Constant(torch.autograd.Function):
    """The saved gradient is a constant to a double backward."""

    @staticmethod
    def forward(ctx, logits, target):
        log_p = torch.log_softmax(logits, 1)
        ctx.save_for_backward(log_p.exp() - F.one_hot(target, logits.shape[1]))
        return -log_p.gather(1, target[:, None])[:, 0]

    @staticmethod
    def backward(ctx, grad_output):
        (saved,) = ctx.saved_tensors
        return saved * grad_output[:, None], None


class Once(Constant):
    backward = staticmethod(once_differentiable(Constant.backward))


class Transformable(torch.autograd.Function):
    """With a jvp and a vmap of its own. factor: of the tangent; first: whether all samples get the first one's labels."""

    factor, first = 1.0, False

    @staticmethod
    def forward(logits, target):
        return -torch.log_softmax(logits, 1).gather(1, target[:, None])[:, 0]

    @staticmethod
    def setup_context(ctx, inputs, output):
        del output
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, grad_output):
        logits, target = ctx.saved_tensors
        return (torch.softmax(logits, 1) - F.one_hot(target, logits.shape[1])) * grad_output[:, None], None

    @classmethod
    def of(cls, factor, *, first):
        class Own(cls):
            @staticmethod
            def jvp(ctx, along, _):
                logits, target = ctx.saved_tensors
                return factor * ((torch.softmax(logits, 1) - F.one_hot(target, logits.shape[1])) * along).sum(1)

            @staticmethod
            def vmap(info, in_dims, logits, target):
                del info, in_dims
                rows = [cls.forward(logits[number], target[0 if first else number]) for number in range(len(logits))]
                return torch.stack(rows), 0

        return Own


def report_on(function):
    def loss(logits, target, *, reduction="none"):
        del reduction
        return function(logits, target)

    implementation = xentfuzz.Implementation("mine", loss, array="torch", dtypes=("float32",), supports=SUPPORTS)
    return xentfuzz.check(implementation, profile="quick", seed=0, checks=CHECKS, isolate=False)


def chosen(report):
    return {policy: set(outcomes) for policy, outcomes in report.policies.items()}


def test_torch_is_right_everywhere():
    report = report_on(lambda logits, target: F.cross_entropy(logits, target, reduction="none"))
    assert report.ok
    assert chosen(report) == {"second derivatives": {"right"}, "forward mode": {"right"}, "vmap": {"right"}}


def test_a_double_backward_without_the_share_of_what_was_saved_is_found():
    report = report_on(Constant.apply)
    (failure,) = report.failures
    assert (failure.check, failure.kind) == ("second_derivatives", "gradient")
    assert "second derivatives by the first argument" in failure.message
    assert failure.arrays["logits"].shape == (1, 2)


def test_refusing_is_a_policy():
    report = report_on(Once.apply)
    assert report.ok
    assert chosen(report) == {"second derivatives": {"refused"}, "forward mode": {"refused"}, "vmap": {"refused"}}


@pytest.mark.parametrize(
    ("factor", "first", "found"),
    [(1.0, False, []), (1.01, False, ["forward_mode"]), (1.0, True, ["vectorised_calls"])],
)
def test_wrong_transformations_of_its_own_are_found(factor, first, found):
    report = report_on(Transformable.of(factor, first=first).apply)
    assert [failure.check for failure in report.failures] == found


def test_other_libraries_do_not_list_them():
    report = xentfuzz.check(xentfuzz.get("numpy"), profile="quick", seed=0, checks=["value", *CHECKS], max_examples=1, isolate=False)
    assert {result.check for result in report.checks} == {"value"}
    assert np.all([result.cases for result in report.checks])
