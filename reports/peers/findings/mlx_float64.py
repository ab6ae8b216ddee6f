"""mlx | accuracy below grade | compiled, unmodified | softmax, logsumexp and the losses of float64 are as accurate as float32"""

import mlx.core as mx
import numpy as np

x = np.array([[0.0, 1.0]])
exact = np.exp(x) / np.exp(x).sum()
print("softmax:", np.asarray(mx.softmax(mx.array(x, dtype=mx.float64), axis=-1)), "exact:", exact)
print("exp:    ", np.asarray(mx.exp(mx.array(x, dtype=mx.float64))), "exact:", np.exp(x))
print("logsumexp:", np.asarray(mx.logsumexp(mx.array(x, dtype=mx.float64))), "exact:", np.log(np.exp(x).sum()))
