"""torch | refuses valid input | compiled, unmodified | linear_cross_entropy in chunks refuses a second backward through a retained graph

It says so: the buffers of the first one are used up.
"""

import torch
from torch.nn.functional import linear_cross_entropy

hidden = torch.zeros((1, 2), requires_grad=True)
loss = linear_cross_entropy(hidden, torch.eye(2), torch.tensor([0]), options=torch.nn.LinearCrossEntropyOptions())
loss.backward(retain_graph=True)
try:
    loss.backward()
except RuntimeError as error:
    print(error)
