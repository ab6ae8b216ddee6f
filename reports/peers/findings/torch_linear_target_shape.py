"""torch | accepts invalid input | compiled, unmodified | linear_cross_entropy in chunks takes more targets than rows"""

import torch
from torch.nn.functional import linear_cross_entropy

hidden, target = torch.zeros((1, 2)), torch.tensor([0, 1])
print(linear_cross_entropy(hidden, torch.eye(2), target, options=torch.nn.LinearCrossEntropyOptions()))
try:
    linear_cross_entropy(hidden, torch.eye(2), target)
except ValueError as error:
    print("without options:", error)
