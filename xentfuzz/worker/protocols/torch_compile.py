"""The loss and its gradient by torch.compile."""

from __future__ import annotations

import shutil
import warnings

import torch

from xentfuzz.worker.libraries.library import Unsupported
from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.protocols.torch_scene import taken, tensors

COMPILERS = ("c++", "g++", "clang++")


def run(scene: Scene) -> Results:
    """Raises Unsupported where nothing can be compiled."""
    (step,) = scene.steps
    loaded = tensors(scene, step)
    if loaded[scene.callee.plan.positional[0]].device.type == "cpu" and not any(map(shutil.which, COMPILERS)):
        raise Unsupported("no C++ compiler: torch.compile is not tested")
    leaf = loaded[scene.callee.plan.positional[0]].requires_grad_()
    # Every case is a program of its own; a limit on their number would fall back to what is not compiled.
    torch.compiler.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = torch.compile(scene.callee.forms["forward"])(*scene.callee.arguments("forward", loaded, step.options))
        (gradient,) = torch.autograd.grad(value, leaf, loaded["grad_output"])
    return {"value": taken(scene, value), "gradient": taken(scene, gradient)}
