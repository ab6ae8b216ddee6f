"""paddle | contract difference | compiled, unmodified | with reduction none, cross_entropy keeps the axis of the classes where there is label_smoothing, and not elsewhere"""

import paddle
from paddle.nn.functional import cross_entropy

logits, target = paddle.zeros([2, 3]), paddle.to_tensor([0, 1])
for smoothing in (0.0, 0.1):
    print(smoothing, cross_entropy(logits, target, reduction="none", label_smoothing=smoothing).shape)
