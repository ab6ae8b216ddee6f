"""paddle | memory error | compiled, unmodified | nll_loss of (N, C, d1) with ignored targets and the reduction mean or sum corrupts memory: the process aborts, crashes or hangs

Of matrices, without a reduction and without ignored targets the same calls are right.
"""

import numpy as np
import paddle
from paddle.nn.functional import nll_loss

generator = np.random.default_rng(0)
for reduction in ("none", "mean"):
    for call in range(100):
        log_probs = paddle.to_tensor(generator.random((2, 3, 4)).astype("float32"))
        target = generator.integers(0, 3, (2, 4))
        target[generator.random((2, 4)) < 0.5] = -100
        nll_loss(log_probs, paddle.to_tensor(target), reduction=reduction).numpy()
        print(reduction, call, end="\r", flush=True)
