"""Implementations for torch in every form; a worker imports this module by name."""

from __future__ import annotations

import torch
from torch.nn import functional


def plain(logits, target, weight=None, *, reduction="mean"):
    return functional.cross_entropy(logits, target, weight, reduction=reduction)


def annotated(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(logits, target)


class Custom(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target, ignore_index=-100, reduction="mean"):
        ctx.save_for_backward(logits, target)
        ctx.options = {"ignore_index": ignore_index, "reduction": reduction}
        return functional.cross_entropy(logits, target, **ctx.options)

    @staticmethod
    def backward(ctx, grad_output):
        logits, target = ctx.saved_tensors
        with torch.enable_grad():
            leaf = logits.detach().requires_grad_()
            loss = functional.cross_entropy(leaf, target, **ctx.options)
        return torch.autograd.grad(loss, leaf, grad_output)[0], None, None, None


class Loss(torch.nn.Module):
    def __init__(self, weight=None, label_smoothing=0.0):
        super().__init__()
        self.register_buffer("weight", weight)
        self.label_smoothing = label_smoothing

    def forward(self, logits, target):
        return functional.cross_entropy(logits, target, self.weight, label_smoothing=self.label_smoothing)


def detached(logits, target):
    return functional.cross_entropy(logits.detach(), target)


def refuses_target_gradients(logits, target):
    if target.requires_grad:
        raise RuntimeError("the target is a constant")
    return functional.cross_entropy(logits, target)
