"""optax | accepts invalid input | compiled, unmodified | a target of -1 is the last class, as NumPy's indices are, and one of C or more is NaN; labels of other shapes are broadcast"""

import jax.numpy as jnp
import optax

logits = jnp.array([[0.0, 1.0, 5.0]])
for target in (2, -1, 3):
    print(target, optax.softmax_cross_entropy_with_integer_labels(logits, jnp.array([target])))
print("no rows of labels:", optax.softmax_cross_entropy(logits, jnp.zeros((0, 3))))
print("one column of labels:", optax.softmax_cross_entropy(logits, jnp.ones((1, 1))))
