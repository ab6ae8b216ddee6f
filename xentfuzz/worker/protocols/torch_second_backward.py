"""The gradient of one loss, taken twice."""

from __future__ import annotations

import torch

from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.protocols.torch_scene import loss, taken, tensors


def run(scene: Scene) -> Results:
    """first, second: the gradients of the first argument."""
    (step,) = scene.steps
    loaded = tensors(scene, step)
    leaf = loaded[scene.callee.plan.positional[0]].requires_grad_()
    value = loss(scene, step, loaded)
    results: Results = {}
    for name in ("first", "second"):
        # Each time an upstream gradient of its own, so that one that was written into shows only where it was given.
        (gradient,) = torch.autograd.grad(value, leaf, loaded["grad_output"].clone(), retain_graph=True)
        results[name] = taken(scene, gradient)
    return results
