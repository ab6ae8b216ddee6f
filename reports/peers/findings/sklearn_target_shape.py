"""scikit-learn | accepts invalid input | compiled, unmodified | log_loss takes a column of class indices, of shape (N, 1), for a row

As do most functions of scikit-learn, which warn here and there.
"""

import numpy as np
from sklearn.metrics import log_loss

print(log_loss(np.zeros((1, 1), int), np.array([[0.5, 0.5]]), labels=[0, 1]))
