"""scikit-learn | wrong value | compiled, unmodified | log_loss clips probabilities to [eps, 1 - eps] of their dtype: no loss is above 36.04 (float64), 15.9 (float32), 6.93 (float16)

Documented, as probabilities of 0 have no logarithm; a certain and right prediction has a loss of eps instead of 0.
"""

import numpy as np
from sklearn.metrics import log_loss

for dtype in (np.float16, np.float32, np.float64):
    probabilities = np.array([[1.0, 0.0]], dtype)
    print(dtype.__name__, "wrong:", log_loss([1], probabilities, labels=[0, 1]), "right:", log_loss([0], probabilities, labels=[0, 1]))
