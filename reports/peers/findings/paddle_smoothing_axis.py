"""paddle | refuses valid input | compiled, unmodified | cross_entropy with label_smoothing > 0 refuses class indices where the classes' axis is not the last"""

import paddle
from paddle.nn.functional import cross_entropy

logits, target = paddle.zeros([2, 3, 5]), paddle.zeros([2, 5], dtype="int64")
print(cross_entropy(logits, target, axis=1))
try:
    print(cross_entropy(logits, target, axis=1, label_smoothing=0.1))
except ValueError as error:
    print(str(error).strip().splitlines()[-1])
