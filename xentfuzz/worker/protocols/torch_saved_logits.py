"""The logits come from an operation and go into another one that saved them for its own backward."""

from __future__ import annotations

import torch

from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.protocols.torch_scene import loss, taken, tensors


def run(scene: Scene) -> Results:
    """gradient: of the loss; square: 2 x for the sum of squares of x, which saved x; raised: what autograd says of saved logits."""
    (step,) = scene.steps
    loaded = tensors(scene, step)
    name = scene.callee.plan.positional[0]
    leaf = loaded[name].requires_grad_()
    logits = leaf * 1
    squares = logits * logits
    value = loss(scene, step, {**loaded, name: logits})
    (gradient,) = torch.autograd.grad(value, leaf, loaded["grad_output"], retain_graph=True)
    results: Results = {"gradient": taken(scene, gradient), "raised": ""}
    try:
        (square,) = torch.autograd.grad(squares, leaf, torch.ones_like(squares))
    except RuntimeError as error:
        return {**results, "raised": str(error).partition(":")[0]}
    return {**results, "square": taken(scene, square)}
