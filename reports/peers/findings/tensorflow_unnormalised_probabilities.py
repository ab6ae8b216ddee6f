"""tensorflow | contract difference | compiled, unmodified | the gradient for class probabilities that don't add up to 1 is softmax - labels, which is not that of the loss

Documented: labels must be a probability distribution, or the gradient is incorrect.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

logits, labels = tf.constant([[1.0, 2.0]]), tf.constant([[0.0, 3.0]])
with tf.GradientTape(persistent=True) as tape:
    tape.watch(logits)
    fused = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
    composed = -tf.reduce_sum(labels * tf.nn.log_softmax(logits))
print("losses", fused.numpy(), composed.numpy())
print("gradients", tape.gradient(fused, logits).numpy(), tape.gradient(composed, logits).numpy())
