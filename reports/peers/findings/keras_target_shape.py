"""keras | accepts invalid input | compiled, unmodified | class indices of shape (1, N) are taken for those of N rows where ignore_class is given"""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np

target, logits = np.ones((1, 60), np.int64), np.zeros((60, 17), np.float32)
for ignored in (0, None):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=ignored)
    try:
        print(ignored, loss(target, logits))
    except ValueError as error:
        print(ignored, error)
