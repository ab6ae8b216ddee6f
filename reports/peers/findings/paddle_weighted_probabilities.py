"""paddle | refuses valid input | compiled, unmodified | cross_entropy of class probabilities with class weights refuses a classes' axis that is not the last"""

import paddle
from paddle.nn.functional import cross_entropy

logits, target = paddle.zeros([2, 3, 5]), paddle.full([2, 3, 5], 1 / 3)
print(cross_entropy(logits, target, soft_label=True, axis=1))
try:
    print(cross_entropy(logits, target, soft_label=True, axis=1, weight=paddle.ones([3])))
except ValueError as error:
    print(str(error).strip().splitlines()[-1])
