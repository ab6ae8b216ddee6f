"""torch | wrong value | compiled, unmodified | linear_cross_entropy in chunks: an ignored row with an infinity or a NaN makes the loss nan

Without options=, and in cross_entropy, an ignored row has no part in it.
"""

import torch
from torch.nn.functional import linear_cross_entropy

target = torch.tensor([0, -100])
for ignored in (1.0, torch.inf, torch.nan):
    hidden = torch.tensor([[0.0], [ignored]])
    chunks = linear_cross_entropy(hidden, torch.eye(1), target, options=torch.nn.LinearCrossEntropyOptions())
    print(ignored, "chunks:", chunks, "plain:", linear_cross_entropy(hidden, torch.eye(1), target))
