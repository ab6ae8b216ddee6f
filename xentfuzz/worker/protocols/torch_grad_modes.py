"""The same loss with gradients, without, under no_grad and in inference mode."""

from __future__ import annotations

import contextlib

import torch

from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.protocols.torch_scene import loss, taken, tensors


def run(scene: Scene) -> Results:
    """mode -> loss."""
    (step,) = scene.steps
    first = scene.callee.plan.positional[0]
    results: Results = {}
    modes = {
        "requires_grad=True": (contextlib.nullcontext, True),
        "requires_grad=False": (contextlib.nullcontext, False),
        "torch.no_grad()": (torch.no_grad, True),
        "torch.inference_mode()": (torch.inference_mode, False),
    }
    for name, (mode, wanted) in modes.items():
        with mode():
            loaded = tensors(scene, step)
            loaded[first].requires_grad_(wanted)
            try:
                results[name] = taken(scene, loss(scene, step, loaded))
            except Exception as error:
                error.add_note(f"with {name}")
                raise
    return results
