"""mlx | wrong gradient | compiled, unmodified | the gradient of float16 softmax along an axis of 256 classes or more that is not the last

The gradient of the sum of probabilities is 0, as that sum is 1. What comes back is the probability itself: the square of a sum of 256
exponentials is infinite in float16, and what is divided by it is lost.
"""

from functools import partial

import mlx.core as mx

for classes in (200, 255, 256, 1000):
    x = mx.zeros((1, classes, 1), dtype=mx.float16)
    for axis, given in ((1, x), (-1, x.reshape(1, classes))):
        _, (gradient,) = mx.vjp(partial(mx.softmax, axis=axis), [given], [mx.ones_like(given)])
        print(f"{classes} classes, axis {axis}: gradient {gradient.flatten()[0].item()}, probability {1 / classes:.6f}, wanted about 0")
