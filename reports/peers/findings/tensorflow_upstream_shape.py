"""tensorflow | accepts invalid input | compiled, unmodified | an upstream gradient of shape () is taken for a loss of N rows, and broadcast"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

logits = tf.constant([[0.0, 1.0], [2.0, 0.0]])
with tf.GradientTape() as tape:
    tape.watch(logits)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 1], logits=logits)
print(loss.shape, tape.gradient(loss, logits, output_gradients=tf.constant(2.0)).numpy())
