"""The loss and its gradient under automatic mixed precision."""

from __future__ import annotations

import torch

from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.protocols.torch_scene import loss, taken, tensors


def run(scene: Scene) -> Results:
    (step,) = scene.steps
    loaded = tensors(scene, step)
    leaf = loaded[scene.callee.plan.positional[0]].requires_grad_()
    with torch.autocast(leaf.device.type, dtype=torch.bfloat16):
        value = loss(scene, step, loaded)
    (gradient,) = torch.autograd.grad(value, leaf, torch.ones_like(value))
    return {"value": taken(scene, value), "gradient": taken(scene, gradient)}
