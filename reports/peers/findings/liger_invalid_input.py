"""liger-kernel | accepts invalid input | interpreted, unmodified | label_smoothing above 1, and more targets than rows, are taken"""

import os

os.environ["TRITON_INTERPRET"] = "1"
import torch
from liger_kernel.transformers.functional import liger_cross_entropy

print("smoothing 1.5:", liger_cross_entropy(torch.tensor([[1.0, 2.0]]), torch.tensor([0]), label_smoothing=1.5))
print("two targets for one row:", liger_cross_entropy(torch.tensor([[1.0, 2.0]]), torch.tensor([0, 1])))
