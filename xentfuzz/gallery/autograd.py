"""The honest cross entropy as a torch.autograd.Function that computes the gradient with the loss and saves it, as fused kernels do."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz.dtypes import numpy_dtype
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Problem


class _Parts(CrossEntropy):
    """The unscaled gradient, not yet rounded to the logits' dtype: it is multiplied by the upstream gradient before that."""

    def finish_gradient(self, problem: Problem, gradient: Array) -> Array:
        return self.from_rows(problem.given, gradient)


class SavedGradient:
    """A kernel whose `forward` takes and returns torch tensors; autograd calls `scaled`.

    once: whether it refuses to be differentiated again, where what it saved would count as a constant.
    """

    once = True

    def scaled(self, saved: Any, upstream: Any) -> Any:
        """The saved gradient times the upstream gradient, in the arithmetic dtype."""
        return saved * upstream

    def forward(
        self,
        logits: Any,
        target: Any,
        *,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Any:
        options = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": label_smoothing}
        return self._function.apply(logits, target, weight, options)

    @cached_property
    def _function(self) -> Any:
        import torch  # noqa: PLC0415 - only this kernel needs it

        scaled = self.scaled
        once = self.once

        class Function(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, logits: Any, target: Any, weight: Any, options: dict[str, Any]) -> Any:
                arrays = {"weight": None if weight is None else to_numpy(weight), **options}
                x, y = to_numpy(logits), to_numpy(target)
                loss = CrossEntropy().forward(x, y, **arrays)
                ctx.saved = torch.from_numpy(np.ascontiguousarray(_Parts().backward(np.ones_like(loss), x, y, **arrays)))
                ctx.per_position, ctx.dtype = options["reduction"] == "none", logits.dtype
                return to_torch(loss)

            @staticmethod
            def backward(ctx: Any, grad_output: Any) -> tuple[Any, ...]:
                # Refused, as once_differentiable does: what was saved depends on the logits too.
                if once and torch.is_grad_enabled():
                    raise NotImplementedError("no second derivative: the saved gradient would count as a constant")
                upstream = grad_output.to(ctx.saved.dtype)
                if ctx.per_position and ctx.saved.ndim > 0:
                    upstream = upstream.unsqueeze(min(ctx.saved.ndim - 1, 1))
                return scaled(ctx.saved, upstream).to(ctx.dtype), None, None, None

        return Function


def to_numpy(tensor: Any) -> Array:
    """The same memory; NumPy has no bfloat16 of its own, so it is handed over as 16-bit integers."""
    import torch  # noqa: PLC0415 - see above

    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:
        return np.asarray(tensor.view(torch.int16).numpy()).view(numpy_dtype("bfloat16"))
    return np.asarray(tensor.numpy())


def to_torch(array: Array) -> Any:
    """The same memory as a tensor."""
    import torch  # noqa: PLC0415 - see above

    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)
