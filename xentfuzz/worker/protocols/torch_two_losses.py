"""Two losses of one tensor of logits, whose gradients are taken afterwards."""

from __future__ import annotations

import torch

from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.protocols.torch_scene import loss, taken, tensors


def run(scene: Scene) -> Results:
    """value.N, gradient.N: of each step, the first argument being that of the first step."""
    loaded = [tensors(scene, step) for step in scene.steps]
    name = scene.callee.plan.positional[0]
    leaf = loaded[0][name].requires_grad_()
    values = [loss(scene, step, {**given, name: leaf}) for step, given in zip(scene.steps, loaded, strict=True)]
    results: Results = {}
    for number, (value, given) in enumerate(zip(values, loaded, strict=True)):
        (gradient,) = torch.autograd.grad(value, leaf, given["grad_output"], retain_graph=True)
        results[f"value.{number}"] = taken(scene, value)
        results[f"gradient.{number}"] = taken(scene, gradient)
    return results
