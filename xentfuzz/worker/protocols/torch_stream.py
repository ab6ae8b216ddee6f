"""One call on another CUDA stream than the default one, whose inputs are ready late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import cuda as _cuda

from xentfuzz.worker.protocols.scene import Results, Scene, Step
from xentfuzz.worker.protocols.torch_scene import loss, tensors

# Untyped.
cuda: Any = _cuda

# A tenth of a second at 2 GHz: longer than any call takes to queue its kernels.
CYCLES = 200_000_000


def run(scene: Scene) -> Results:
    """The outputs of the first step, called while its inputs still hold the values of the second one.

    torch's own streams do not wait for the default stream, nor it for them: whatever is launched elsewhere than on the current stream
    reads what the inputs held before.
    """
    step, earlier = scene.steps
    values, buffers = tensors(scene, step), tensors(scene, earlier)
    device = values[scene.callee.plan.positional[0]].device
    cuda.synchronize(device)
    with cuda.stream(cuda.Stream(device)):
        outputs = _outputs(scene, step, values, buffers)
    # Nothing that other streams still use is released before all of them are done.
    cuda.synchronize(device)
    return {**scene.snapshot(outputs)}


def _outputs(scene: Scene, step: Step, values: Mapping[str, Any], buffers: dict[str, Any]) -> dict[str, Any]:
    if step.function != "backward" or "backward" in scene.callee.forms:
        _fill_late(buffers, values, buffers)
        return scene.callee.outputs(step.function, buffers, step.arrays, step.options)
    first = scene.callee.plan.positional[0]
    _fill_late(buffers, values, buffers.keys() - {"grad_output"})
    leaf = buffers[first].requires_grad_()
    value = loss(scene, step, buffers)
    # A forward that waits for its result would leave backward nothing to be too early for.
    _fill_late(buffers, values, ["grad_output"])
    (gradient,) = torch.autograd.grad(value, leaf, buffers["grad_output"])
    return {f"grad_{first}": gradient}


def _fill_late(buffers: Mapping[str, Any], values: Mapping[str, Any], names: Iterable[str]) -> None:
    cuda._sleep(CYCLES)  # noqa: SLF001 - what torch's own tests of streams are made of; there is no public way
    for name in names:
        buffers[name].copy_(values[name])
