"""torch implementations with one fault each that no single value shows. A worker loads this file."""

from __future__ import annotations

import torch
from torch.nn import functional


def forward(logits, target, *, ignore_index=-100, reduction="mean"):
    return functional.cross_entropy(logits, target, ignore_index=ignore_index, reduction=reduction)


def gradient_of(logits, target, ignore_index=-100, reduction="mean"):
    kept = target != ignore_index
    one_hot = functional.one_hot(torch.where(kept, target, 0), logits.shape[1])
    gradient = torch.where(kept[:, None], torch.softmax(logits, 1) - one_hot, 0)
    return gradient / kept.sum() if reduction == "mean" else gradient


def saving(change, before=lambda logits, gradient: None):
    """A loss that saves its gradient in forward, as fused kernels do; `change(saved, upstream)` is its backward."""

    class Saving(torch.autograd.Function):
        @staticmethod
        def forward(ctx, logits, target, ignore_index, reduction):
            gradient = gradient_of(logits, target, ignore_index, reduction)
            value = forward(logits, target, ignore_index=ignore_index, reduction=reduction)
            before(logits, gradient)
            ctx.gradient, ctx.logits = gradient, logits
            return value

        @staticmethod
        def backward(ctx, upstream):
            scale = upstream.reshape(-1, 1) if upstream.ndim else upstream
            return change(ctx, scale), None, None, None

    def harmful(logits, target, *, ignore_index=-100, reduction="mean"):
        return Saving.apply(logits, target, ignore_index, reduction)

    return harmful


def _over_logits(ctx, upstream):
    gradient = ctx.gradient * upstream
    torch.from_numpy(ctx.logits.detach().numpy()).copy_(gradient)
    return gradient


def _spoil(logits, gradient):
    logits.detach().numpy()[...] = gradient.numpy()


honest_saving = saving(lambda ctx, upstream: ctx.gradient * upstream)
scales_in_place = saving(lambda ctx, upstream: ctx.gradient.mul_(upstream))
gradient_over_saved_logits = saving(_over_logits)
forward_over_logits = saving(lambda ctx, upstream: ctx.gradient * upstream, before=_spoil)
upstream_by_its_first_number = saving(lambda ctx, upstream: ctx.gradient * (upstream / upstream.sum() * upstream.sum()))


def altered(change):
    def harmful(logits, target, *, ignore_index=-100, reduction="mean"):
        return change(forward(logits, target, ignore_index=ignore_index, reduction=reduction), logits)

    return harmful


@altered
def wrong_under_no_grad(value, logits):
    return value + 1 if logits.requires_grad and not torch.is_grad_enabled() else value


@altered
def raises_in_inference_mode(value, logits):
    if torch.is_inference_mode_enabled():
        raise RuntimeError("inference tensors can't be saved")
    return value


class _ForTheLogits(torch.autograd.Function):
    """Skips everything where the logits want no gradient."""

    @staticmethod
    def forward(ctx, logits, target, reduction):
        ctx.save_for_backward(logits, target)
        ctx.reduction = reduction
        return functional.cross_entropy(logits, target, reduction=reduction)

    @staticmethod
    def backward(ctx, upstream):
        logits, target = (tensor.detach().requires_grad_() for tensor in ctx.saved_tensors)
        with torch.enable_grad():
            value = functional.cross_entropy(logits, target, reduction=ctx.reduction)
        of_logits, of_target = torch.autograd.grad(value, (logits, target), upstream)
        return of_logits, of_target * ctx.needs_input_grad[0], None


def only_for_the_logits(logits, target, *, reduction="mean"):
    return _ForTheLogits.apply(logits, target, reduction)


def of_probabilities(logits, target, *, reduction="mean"):
    return functional.cross_entropy(logits, target, reduction=reduction)


@altered
def half_under_autocast(value, logits):
    return value.to(torch.float16) if torch.is_autocast_enabled("cpu") else value


@altered
def raises_under_autocast(value, logits):
    if torch.is_autocast_enabled("cpu"):
        raise RuntimeError("expected float32")
    return value


@altered
def other_when_compiled(value, logits):
    return value + 1 if torch.compiler.is_compiling() else value


@altered
def default_dtype_left_changed(value, logits):
    torch.set_default_dtype(torch.float64)
    return value


@altered
def gradients_left_off(value, logits):
    torch.set_grad_enabled(False)
    return value


@altered
def one_thread_from_now_on(value, logits):
    torch.set_num_threads(torch.get_num_threads() % 2 + 1)
    return value


@altered
def draws_random_numbers(value, logits):
    torch.rand(1)
    return value


_buffer = {}


@altered
def one_buffer(value, logits):
    if value.requires_grad:
        return value
    held = _buffer.setdefault(value.shape, torch.empty_like(value))
    return held.copy_(value)


def unwritten(logits, target, *, ignore_index=-100, reduction="mean"):
    value = torch.empty(target.shape if reduction == "none" else (), dtype=logits.dtype)
    return value + 0 * logits.sum() if logits.requires_grad else value


@torch.library.custom_op("xentfuzz_tests::overwrites", mutates_args=())
def overwriting_operator(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    value = functional.cross_entropy(logits, target)
    logits.zero_()
    return value


overwriting_operator.register_autograd(
    lambda ctx, upstream: (upstream * gradient_of(*ctx.saved_tensors), None),
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[0].clone(), inputs[1]),
)


@torch.library.custom_op("xentfuzz_tests::honest", mutates_args=())
def honest_operator(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(logits, target)


@honest_operator.register_fake
def _(logits, target):
    return logits.new_empty(())


honest_operator.register_autograd(
    lambda ctx, upstream: (upstream * gradient_of(*ctx.saved_tensors), None),
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
)
