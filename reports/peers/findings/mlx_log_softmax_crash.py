"""mlx | memory error | compiled, unmodified | nn.log_softmax of rows of one element ends the process with a segmentation fault

nn.log_softmax is compiled by mx.compile(shapeless=True); the same expression without mx.compile is right.
"""

import mlx.core as mx
from mlx import nn

x = mx.zeros((1, 1))
print(x - mx.logsumexp(x, axis=-1, keepdims=True), flush=True)
print(nn.log_softmax(x, axis=-1))
