"""Functions, autograd functions and modules of torch, with gradients by autodiff."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.errors import UsageError
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.open import open_subject
from xentfuzz.subjects.probe import capabilities_of
from xentfuzz.subjects.target import resolve

LOGITS = np.array([[1.0, 2.0, 3.0], [3.0, 0.0, 1.0]], np.float32)


def exact_gradient(target):
    shifted = np.exp(LOGITS.astype(float) - LOGITS.max(axis=1, keepdims=True))
    return (shifted / shifted.sum(axis=1, keepdims=True) - np.eye(3)[target]) / 2


@pytest.mark.parametrize("form", ["plain", "annotated", "Custom", "Loss"])
def test_every_form_is_recognised_called_and_differentiated(form, make_call):
    subject = open_subject(resolve(f"torch_kernels:{form}", isolate=False))
    assert subject.implementation.array == "torch"
    assert subject.capabilities.functions == ("forward", "backward")
    outcome = subject.call(make_call("backward", logits=LOGITS, grad_output=np.float32(1)))
    assert outcome.raised is None
    np.testing.assert_allclose(outcome.results["grad_logits"], exact_gradient([0, 2]), rtol=1e-5)
    assert subject.call(make_call(logits=LOGITS)).results["value"].dtype == np.float32


def test_the_calls_that_look_for_the_array_library_are_counted():
    assert resolve("torch_kernels:plain", isolate=False).tried_calls >= 1
    assert resolve("torch_kernels:annotated", isolate=False).tried_calls == 0
    assert resolve("torch_kernels:plain", array="torch", isolate=False).tried_calls == 0


def test_one_works_in_a_worker_just_so(isolated, make_call):
    call = make_call("backward", logits=LOGITS, grad_output=np.float32(1))
    there = isolated("torch_kernels:Custom", array="torch").call(call).results["grad_logits"]
    here = InProcess(Implementation("here", "torch_kernels:Custom", array="torch")).call(call).results["grad_logits"]
    assert there.tobytes() == here.tobytes()


def test_options_are_found_in_each_form():
    options = {
        form: set(open_subject(resolve(f"torch_kernels:{form}", isolate=False)).capabilities.options)
        for form in ("plain", "Custom", "Loss")
    }
    assert options == {"plain": {"reduction"}, "Custom": {"ignore_index", "reduction"}, "Loss": {"label_smoothing"}}


def test_probability_targets_and_weights_have_gradients_where_autodiff_gives_them(make_call):
    subject = InProcess(Implementation("subject", "torch_kernels:plain", array="torch"))
    assert capabilities_of(subject).gradients == ("grad_logits", "grad_target", "grad_weight")
    probabilities = np.full((2, 3), 1 / 3, np.float32)
    call = make_call("backward", logits=LOGITS, target=probabilities, weight=np.ones(3, np.float32), grad_output=np.float32(1))
    assert set(subject.call(call).results) == {"grad_logits", "grad_target", "grad_weight"}
    indices = make_call("backward", logits=LOGITS, weight=np.ones(3, np.float32), grad_output=np.float32(1))
    assert set(subject.call(indices).results) == {"grad_logits"}


def test_where_the_target_may_have_no_gradient_only_the_logits_are_asked_for(either, make_call):
    subject = either("torch_kernels:refuses_target_gradients", array="torch")
    found = capabilities_of(subject)
    assert found.gradients == ("grad_logits",)
    assert "rejects gradients of probability targets: RuntimeError: the target is a constant" in found.rejections
    call = make_call("backward", logits=LOGITS, target=np.full((2, 3), 1 / 3, np.float32), grad_output=np.float32(1))
    assert set(subject.call(call).results) == {"grad_logits"}


def test_a_loss_that_autograd_does_not_see_has_no_gradients():
    found = capabilities_of(InProcess(Implementation("subject", "torch_kernels:detached", array="torch")))
    assert (found.functions, found.gradients) == (("forward",), ())


def test_a_read_only_array_is_unsupported(either, make_call):
    from xentfuzz.recipes.layouts import lay_out

    outcome = either("torch_kernels:plain", array="torch").call(make_call(logits=lay_out(LOGITS, "read_only")))
    assert outcome.unsupported == "logits: torch has no read-only tensors"


@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize("device", ["cuda:99", "rocm", "cuda:x"])
def test_a_device_that_torch_lacks_is_wrong_usage(isolate, device):
    with pytest.raises(UsageError, match=f"torch can't use the device '{device}' here: .*such as cpu") as error:
        open_subject(Implementation("there", "torch_kernels:annotated", array="torch", device=device), isolate=isolate)
    assert "\n" not in str(error.value)


def test_cuda_arrays_without_device_or_simulator_are_wrong_usage(isolated):
    nothing = {"NUMBA_ENABLE_CUDASIM": "0", "CUDA_VISIBLE_DEVICES": ""}
    with pytest.raises(UsageError, match="need a CUDA device, and none can be used here; NUMBA_ENABLE_CUDASIM=1"):
        isolated("kernels:picky", array="cuda", environment=nothing)
