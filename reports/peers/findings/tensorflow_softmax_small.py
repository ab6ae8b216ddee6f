"""tensorflow | accuracy below grade | compiled, unmodified | softmax gives 0 for float32 probabilities below 2.4e-38, twice the smallest normal number

So is their gradient. The exponential itself is right there.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

for logit in (-86.0, -86.7, -87.3):
    print(logit, "softmax:", tf.nn.softmax(np.array([[0, logit]], np.float32)).numpy()[0, 1], "exact:", np.exp(logit))
