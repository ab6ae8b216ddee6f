"""keras | wrong value | compiled, unmodified | class indices are converted to the loss's dtype: above 256 (bfloat16) and 2048 (float16) the loss is another class's

SparseCategoricalCrossentropy converts y_true to the dtype of the loss before it is taken as an index, on every back end. Reported for Keras 2: keras-team/keras#15012,
mended there by #15015.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np

logits = np.zeros((1, 300), np.float32)
logits[0, 257] = 10.0  # all but certain of class 257: its loss is about 0.01
for dtype in ("float32", "bfloat16"):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)
    print(keras.backend.backend(), dtype, loss(np.array([257]), logits))
