"""torch | contract difference | compiled, unmodified | linear_cross_entropy of hidden states with an infinity is nan: the product with a weight of 0 is

So the identity does not make cross_entropy of it where classes are masked by -inf.
"""

import torch
from torch.nn.functional import cross_entropy, linear_cross_entropy

logits, target = torch.tensor([[-torch.inf, 0.0]]), torch.tensor([1])
print(linear_cross_entropy(logits, torch.eye(2), target), cross_entropy(logits, target))
