"""keras | contract difference | compiled, unmodified | the mean loss of an empty batch has shape (0,), not ()"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np

for reduction in ("mean", "sum"):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
    print(reduction, loss(np.zeros(0, np.int64), np.zeros((0, 3), np.float32)).shape)
