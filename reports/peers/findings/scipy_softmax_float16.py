"""scipy | accuracy below grade | compiled, unmodified | float16 softmax and log_softmax along an axis that is not contiguous add their exponentials one by one in float16

So NumPy does there: 2048 + 1 is 2048 in float16, and 4096 equal probabilities add up to 2; 1 and two small exponentials remain 1.
"""

import numpy as np
from scipy.special import log_softmax, softmax

for shape, axis in (((1, 4096), 1), ((4096, 2), 0)):
    print(shape, axis, softmax(np.zeros(shape, np.float16), axis=axis).astype(float).sum(axis=axis)[0], "wanted: 1.0")
logits = np.array([[0, 0], [-8, 0], [-8, 0]], np.float16)
print(log_softmax(logits, axis=0)[0, 0], "exact:", log_softmax(logits.astype(float), axis=0)[0, 0])
