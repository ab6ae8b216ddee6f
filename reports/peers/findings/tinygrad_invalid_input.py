"""tinygrad | accepts invalid input | interpreted, unmodified | a target of C or more counts as none: the loss is that of the other rows, divided by all

Targets are compared with 0 to C - 1 to make one-hot rows.
"""

import os

os.environ["DEV"] = "PYTHON"
import numpy as np
from tinygrad import Tensor

logits = Tensor(np.array([[0.0, 1.0], [2.0, 0.0]], np.float32))
for target in ([0, 1], [2, 1], [2, 2], [-1, 1]):
    print(
        target, logits.cross_entropy(Tensor(np.array(target))).item(), logits.log_softmax(axis=1).nll_loss(Tensor(np.array(target))).item()
    )
logits = Tensor(np.zeros((1, 9, 1), np.float32))
print("target of the logits' shape:", logits.cross_entropy(Tensor(np.zeros((1, 9, 1), np.int64))).item())
