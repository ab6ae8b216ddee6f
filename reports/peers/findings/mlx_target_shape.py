"""mlx | accepts invalid input | compiled, unmodified | class indices of the shape of the logits are taken for class probabilities

Documented: a target of the logits' shape is probabilities, whatever its dtype.
"""

import mlx.core as mx
from mlx import nn

print(nn.losses.cross_entropy(mx.array([[0.0, 0.0]]), mx.array([[1, 0]]), axis=1))
