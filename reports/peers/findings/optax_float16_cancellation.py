"""optax | accuracy below grade | compiled, unmodified | the 16-bit loss is logsumexp - logit: a loss near 0 keeps the rounding error of the logsumexp

jax.nn.log_softmax subtracts the largest logit first, and is right to the last place.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax

for largest in (2.0, 1000.0):
    logits = jnp.array([[largest - 2.5, largest]], jnp.float16)
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.array([1]))
    print(float(loss[0]), "by log_softmax:", -float(jax.nn.log_softmax(logits)[0, 1]), "exact:", float(np.log1p(np.exp(-2.5))))
