"""paddle | wrong value | compiled, unmodified | log_softmax is never below -64, and softmax never below exp(-64): smaller logits are clipped

So is a class masked by -inf; the gradient has exp(-64) where it is 0. No loss of cross_entropy is above 64. By
design since PaddlePaddle/Paddle#4366, so that no logarithm of 0 is taken.
"""

import paddle
from paddle.nn import functional

x = paddle.to_tensor([[0.0, -100.0, -float("inf")]])
print("log_softmax:", functional.log_softmax(x).numpy(), "exact: 0, -100, -inf")
print("softmax:", functional.softmax(x).numpy(), "exact: 1, 3.8e-44, 0")
for target in (1, 2):
    print("cross_entropy:", functional.cross_entropy(x, paddle.to_tensor([target])).numpy())
