"""One call while another CUDA device is the current one."""

from __future__ import annotations

from typing import Any

from torch import cuda

from xentfuzz.worker.libraries.library import Unsupported
from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.protocols.torch_scene import tensors


def run(scene: Scene) -> Results:
    """The outputs of the step. Raises Unsupported where there is one device only."""
    (step,) = scene.steps
    count = cuda.device_count()
    if count < 2:
        raise Unsupported("needs a second CUDA device")
    # Loaded first: a device without a number is the current one.
    loaded = tensors(scene, step)
    device = loaded[scene.callee.plan.positional[0]].device
    with cuda.device((number(device) + 1) % count):
        outputs = scene.callee.outputs(step.function, loaded, step.arrays, step.options)
    cuda.synchronize(device)
    return {**scene.snapshot(outputs)}


def number(device: Any) -> int:
    """Of the device that a tensor is on."""
    index: int = device.index
    return index
