"""liger-kernel | wrong gradient | interpreted, unmodified | a second derivative of the loss comes out as 0: the backward is not once_differentiable

Autograd differentiates the product in backward and takes the stored gradient for a constant.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers.functional import liger_cross_entropy

target = torch.tensor([0])
for loss in (liger_cross_entropy, torch.nn.functional.cross_entropy):
    logits = torch.zeros((1, 2), requires_grad=True)
    (gradient,) = torch.autograd.grad(
        loss(logits * 1, target, reduction="none"), logits, torch.ones(1, requires_grad=True), create_graph=True
    )
    (second,) = torch.autograd.grad(gradient[0, 0], logits, allow_unused=True)
    print(loss.__name__, second)
