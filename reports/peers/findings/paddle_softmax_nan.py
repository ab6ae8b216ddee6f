"""paddle | wrong value | compiled, unmodified | softmax of 8 float32 logits of which one is NaN gives 1/7 and 0: the NaN is gone

A vector register full; with 7 logits all is NaN. The gradient is 0.
"""

import numpy as np
import paddle
from paddle.nn import functional

for classes in (7, 8):
    row = np.zeros(classes, np.float32)
    row[-2] = np.nan
    x = paddle.to_tensor(row, stop_gradient=False)
    y = functional.softmax(x)
    print(classes, "softmax", y.numpy(), "gradient", paddle.grad(y, x, paddle.ones_like(y))[0].numpy())
