"""tensorflow | accuracy below grade | compiled, unmodified | log_softmax in bfloat16 adds its exponentials up one by one in bfloat16

Two small ones after 1 are rounded away, each by itself: the error is 0.006 of a logarithm near 0. The same in float16.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

logits = [[2.90625, -3.0, -0.44921875]]
for dtype in (tf.bfloat16, tf.float32):
    print(dtype.name, tf.nn.log_softmax(tf.constant(logits, dtype)).numpy())
