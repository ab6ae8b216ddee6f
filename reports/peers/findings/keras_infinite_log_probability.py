"""keras-jax | wrong value | compiled, unmodified | the loss is nan where another class has log-probability -inf, as a logit of 3e38 makes it

The loss is a sum over one-hot labels times log-probabilities, and 0 * -inf is nan. The same for a logit of -inf, which masks a class.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
print(loss(np.array([0]), np.array([[1.0, 2.0]], np.float32)))
print(loss(np.array([0]), np.array([[1.0, -np.inf]], np.float32)), "exact: 0.0")
print(loss(np.array([0]), np.array([[3e38, -3e38]], np.float32)), "exact: 0.0")
