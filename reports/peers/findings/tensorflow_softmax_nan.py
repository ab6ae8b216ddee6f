"""tensorflow | wrong value | compiled, unmodified | softmax of a row with a NaN is 0 for its other elements

In a row of two elements, on the CPU; other lengths give NaN or not by their position in a vector register.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

for row in ([0.0, np.nan], [np.nan, 0.0], [0.0, np.nan, 1.0], [0.0] * 7 + [np.nan], [0.0] * 8 + [np.nan]):
    print(row, tf.nn.softmax(np.array([row], np.float32)).numpy(), tf.nn.log_softmax(np.array([row], np.float32)).numpy())
