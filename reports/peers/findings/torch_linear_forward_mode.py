"""torch | wrong gradient | compiled, unmodified | linear_cross_entropy in chunks: derivatives in forward mode and second derivatives are lost, without an error"""

import torch
from torch.autograd import forward_ad
from torch.nn.functional import linear_cross_entropy

target = torch.tensor([0])
for options in (torch.nn.LinearCrossEntropyOptions(), None):
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(torch.zeros((1, 2)), torch.tensor([[1.0, -1.0]]))
        print("forward mode:", forward_ad.unpack_dual(linear_cross_entropy(dual, torch.eye(2), target, options=options)).tangent)
    hidden, upstream = torch.zeros((1, 2), requires_grad=True), torch.tensor(1.0, requires_grad=True)
    loss = linear_cross_entropy(hidden, torch.eye(2), target, options=options)
    (gradient,) = torch.autograd.grad(loss, hidden, upstream, create_graph=True)
    print("second derivative:", torch.autograd.grad(gradient[0, 0], hidden, allow_unused=True)[0])
