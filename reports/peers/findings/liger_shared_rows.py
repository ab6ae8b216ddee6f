"""liger-kernel | wrong value | interpreted, unmodified | where rows share memory, as those of an expanded tensor, a row reads what the one before wrote over it

torch's own functions that write in place refuse such a tensor.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers.functional import liger_cross_entropy

row, target = torch.tensor([[0.0, 5.0, 1.0]]), torch.tensor([0, 0])
print("rows of their own:", liger_cross_entropy(row.repeat(2, 1).requires_grad_() * 1, target, reduction="none"))
print("one row, expanded:", liger_cross_entropy((row.requires_grad_() * 1).expand(2, 3), target, reduction="none"))
