"""mlx | contract difference | compiled, unmodified | class probabilities that don't add up to 1 have another loss than -sum(p log softmax(x))

The loss is logsumexp(x) - sum(p x), which is the same where they add up to 1.
"""

import mlx.core as mx
from mlx import nn

logits, probabilities = mx.array([[1.0, 2.0]]), mx.array([[0.0, 0.5]])
print("loss:", nn.losses.cross_entropy(logits, probabilities, axis=1))
print("-sum(p log softmax(x)):", -mx.sum(probabilities * (logits - mx.logsumexp(logits))))
