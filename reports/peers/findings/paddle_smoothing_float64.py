"""paddle | accuracy below grade | compiled, unmodified | label_smoothing makes the target float32, so that a float64 loss is good to 25 bits"""

import math

import paddle
from paddle.nn.functional import cross_entropy

logits = paddle.zeros([1, 2], dtype="float64")
print(repr(cross_entropy(logits, paddle.to_tensor([0]), label_smoothing=0.001).item()), "exact:", math.log(2))
print(repr(cross_entropy(logits, paddle.to_tensor([0])).item()), "without smoothing")
