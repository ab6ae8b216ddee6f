"""torch.library.opcheck of a forward that is a custom operator."""

from __future__ import annotations

from typing import Any

import torch

from xentfuzz.worker.forms import FunctionForm
from xentfuzz.worker.libraries.library import Unsupported
from xentfuzz.worker.protocols.scene import Results, Scene
from xentfuzz.worker.protocols.torch_scene import tensors
from xentfuzz.worker.texts import message_of, one_line


def run(scene: Scene) -> Results:
    """failed: the tests that failed, one a line with why. Raises Unsupported where forward is no custom operator."""
    (step,) = scene.steps
    form = scene.callee.forms["forward"]
    operator = _operator(form.function) if isinstance(form, FunctionForm) else None
    if operator is None or not isinstance(form, FunctionForm):
        raise Unsupported("no custom operator: torch.library.opcheck is not run")
    loaded = tensors(scene, step)
    loaded[scene.callee.plan.positional[0]].requires_grad_()
    leading, named = scene.callee.arguments("forward", loaded, step.options)
    more, keywords = form.parameters.arrange(named)
    # Annotated as texts, but a test that fails is an exception there.
    outcome: dict[str, Any] = torch.library.opcheck(operator, (*leading, *more), keywords, raise_exception=False)
    failed = {name: message_of(result) for name, result in outcome.items() if isinstance(result, BaseException)}
    return {"failed": "\n".join(f"{name}: {one_line(words)}" for name, words in failed.items())}


def _operator(function: Any) -> Any:
    """What opcheck takes, or None."""
    if isinstance(function, torch._ops.OpOverloadPacket):  # noqa: SLF001 - what torch.ops.library.name is
        return function.default
    custom: Any = torch._library.custom_ops.CustomOpDef  # noqa: SLF001 - what torch.library.custom_op makes
    return function if isinstance(function, custom | torch._ops.OpOverload) else None  # noqa: SLF001
