"""What the protocols about torch share: tensors of a step, and the loss of given ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xentfuzz.worker.libraries.library import Collected, Number
from xentfuzz.worker.protocols.scene import Scene, Step, copied


def tensors(scene: Scene, step: Step) -> dict[str, Any]:
    """The step's arguments as tensors of their own memory, without gradients."""
    return scene.callee.load(scene.fresh(step))


def loss(scene: Scene, step: Step, loaded: Mapping[str, Any]) -> Any:
    """What forward returns for `loaded`."""
    given = {name: tensor for name, tensor in loaded.items() if name != "grad_output"}
    return scene.callee.invoke("forward", given, step.options)


def taken(scene: Scene, tensor: Any) -> Collected | Number:
    """A tensor as a result, in memory of its own."""
    return copied(scene.callee.library.collect(tensor))
