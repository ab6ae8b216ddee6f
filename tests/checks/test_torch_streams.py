"""A torch kernel that is launched on the wrong stream or device is found; CUDA itself is played on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from simulated_streams import Cuda, launched_on_the_default_stream
from torch.nn import functional

from xentfuzz.arrays import StridedArray
from xentfuzz.checks.torch_protocol import torch_current_device, torch_current_stream
from xentfuzz.checks.trial import Trial, Unsupported
from xentfuzz.failures.failure import Failure
from xentfuzz.implementation import Implementation
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings
from xentfuzz.subjects.open import open_subject
from xentfuzz.worker.protocols import torch_device, torch_stream


def forward(logits, target, *, reduction="mean"):
    return functional.cross_entropy(logits, target, reduction=reduction)


def backward(grad_output, logits, target, *, reduction="mean"):
    kept = (target >= 0).reshape(-1, 1)
    gradient = torch.softmax(logits, 1) - functional.one_hot(torch.clamp(target, min=0), logits.shape[1])
    upstream = grad_output / kept.sum() if reduction == "mean" else grad_output
    return gradient * kept * upstream.reshape(-1, 1)


def value_and_grad(logits, target, *, reduction="mean"):
    ones = torch.ones(target.shape if reduction == "none" else ())
    return forward(logits, target, reduction=reduction), backward(ones, logits, target, reduction=reduction)


def too_early(function):
    def launched(*arguments, **options):
        with launched_on_the_default_stream():
            return function(*arguments, **options)

    return launched


class OnlyBackwardTooEarly(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target, reduction):
        ctx.save_for_backward(logits, target)
        ctx.reduction = reduction
        # A number on the host waits for everything that was queued.
        return forward(logits, target, reduction=reduction) + 0 * logits.sum().item()

    @staticmethod
    def backward(ctx, upstream):
        return backward(upstream, *ctx.saved_tensors, reduction=ctx.reduction), None, None


def only_backward_too_early(logits, target, *, reduction="mean"):
    return OnlyBackwardTooEarly.apply(logits, target, reduction)


CUDA = Cuda(devices=2)


def on_the_current_device(logits, target, *, reduction="mean"):
    """Wrong where another device is the current one, as a launch without a device guard is."""
    return forward(logits, target, reduction=reduction) + CUDA.current


@pytest.fixture
def cuda(monkeypatch):
    CUDA.streams.clear()
    CUDA.devices = 2
    for module in (torch_stream, torch_device):
        monkeypatch.setattr(module, "cuda", CUDA)
    # On the CPU a device has no number.
    monkeypatch.setattr(torch_device, "number", lambda device: device.index or 0)
    return CUDA


@pytest.fixture(params=["mean", "none"])
def tried(request):
    opened = []

    def trial(function, **declared):
        implementation = Implementation("tried", function, array="torch", dtypes=("float32",), supports=SUPPORTS, **declared)
        subject = open_subject(implementation, isolate=False)
        opened.append(subject)
        operation = get_operation("cross_entropy")
        upstream = np.array([2, -1, 0.5], np.float32) if request.param == "none" else np.array(2, np.float32)
        values = {"logits": np.random.default_rng(0).normal(0, 2, (3, 5)).astype(np.float32), "target": np.array([0, 4, 2])}
        arrays = {name: StridedArray.of(array) for name, array in {**values, "grad_output": upstream}.items()}
        case = Case("cross_entropy", "float32", arrays, {**operation.defaults, "reduction": request.param})
        return Trial(operation, case, operation.evaluate(case), subject)

    yield trial
    for subject in opened:
        subject.close()


SUPPORTS = {"targets": ("index",), "target_dtypes": ("int64",), "ranks": (2,), "layouts": ("contiguous",), "options": {"reduction": None}}


@pytest.mark.parametrize("declared", [{}, {"backward": backward}, {"backward": backward, "value_and_grad": value_and_grad}])
def test_an_honest_function_passes(cuda, tried, declared):
    assert torch_current_stream(tried(forward, **declared)).compared
    assert torch_current_device(tried(forward, **declared)).compared
    assert len(cuda.streams) == 2 + ("value_and_grad" in declared)
    assert cuda.streams[1].slept == (1 if declared else 2)


@pytest.mark.parametrize(
    ("function", "declared", "kind"),
    [
        (too_early(forward), {}, "value"),
        (only_backward_too_early, {}, "gradient"),
        (forward, {"backward": too_early(backward)}, "gradient"),
        (forward, {"backward": backward, "value_and_grad": too_early(value_and_grad)}, "value"),
    ],
)
def test_a_launch_that_does_not_wait_for_the_current_stream_is_found(cuda, tried, function, declared, kind):
    with pytest.raises(Failure, match="another CUDA stream") as found:
        torch_current_stream(tried(function, **declared))
    assert found.value.kind == kind


def test_a_launch_on_the_current_device_is_found(cuda, tried):
    with pytest.raises(Failure, match="another CUDA device is the current one") as found:
        torch_current_device(tried(on_the_current_device))
    assert found.value.kind == "value"


def test_a_single_device_is_not_enough(cuda, tried):
    cuda.devices = 1
    with pytest.raises(Unsupported, match="needs a second CUDA device"):
        torch_current_device(tried(forward))


def test_without_cuda_the_report_says_so():
    implementation = Implementation("on the CPU", forward, array="torch", dtypes=("float32",), supports=SUPPORTS)
    names = ("torch_current_stream", "torch_current_device", "value")
    report = run_checks([implementation], Settings("check", get_profile("quick"), seed=0, isolate=False, checks=names))[0]
    stated = {(result.check, result.status, result.reason) for result in report.checks if result.dtype == "float32"}
    assert {(name, "unsupported", "needs a CUDA device") for name in names[:2]} <= stated
    assert report.ok
