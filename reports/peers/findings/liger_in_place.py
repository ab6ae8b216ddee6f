"""liger-kernel | contract difference | interpreted, unmodified | the gradient is written over the logits in the forward, so that a second loss of them is wrong

By design, to save memory: what else reads the logits reads the gradient, and autograd doesn't notice.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers.functional import liger_cross_entropy

logits = torch.zeros((1, 2), requires_grad=True)
hidden = logits * 1
losses = [liger_cross_entropy(hidden, torch.tensor([target])) for target in (0, 1)]
print("losses", [loss.item() for loss in losses], "wanted: 0.6931, 0.6931")
sum(losses).backward()
print("gradient", logits.grad, "wanted: 0, 0")
