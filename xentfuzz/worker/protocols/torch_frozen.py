"""The gradient of each argument that has one, while no other is wanted."""

from __future__ import annotations

import torch

from xentfuzz.worker.callee import differentiable
from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.protocols.torch_scene import loss, taken, tensors


def run(scene: Scene) -> Results:
    """grad_<argument>: left out where autograd finds none."""
    (step,) = scene.steps
    results: Results = {}
    for name in differentiable(scene.callee.plan, step.arrays):
        loaded = tensors(scene, step)
        leaf = loaded[name].requires_grad_()
        value = loss(scene, step, loaded)
        if value.requires_grad:
            (gradient,) = torch.autograd.grad(value, leaf, loaded["grad_output"], allow_unused=True)
            if gradient is not None:
                results[f"grad_{name}"] = taken(scene, gradient)
    return results
