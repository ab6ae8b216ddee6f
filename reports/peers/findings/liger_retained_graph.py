"""liger-kernel | wrong gradient | interpreted, unmodified | a second backward through a retained graph multiplies by the upstream gradient again

The stored gradient is multiplied in place: it comes out times g, then times g^2.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers.functional import liger_cross_entropy

logits, target, upstream = torch.zeros((1, 2), requires_grad=True), torch.tensor([0]), torch.tensor(3.0)
loss = liger_cross_entropy(logits * 1, target)
for _ in range(3):
    print(torch.autograd.grad(loss, logits, upstream, retain_graph=True)[0])
