"""paddle | refuses valid input | compiled, unmodified | cross_entropy with label_smoothing > 0 refuses targets of ignore_index: the smoothing is a one_hot of all targets"""

import paddle
from paddle.nn.functional import cross_entropy

logits, target = paddle.zeros([2, 3]), paddle.to_tensor([-100, 0])
print(cross_entropy(logits, target))
try:
    print(cross_entropy(logits, target, label_smoothing=0.1))
except ValueError as error:
    print(str(error).strip().splitlines()[-1])
