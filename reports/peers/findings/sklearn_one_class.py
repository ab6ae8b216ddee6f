"""scikit-learn | refuses valid input | compiled, unmodified | log_loss refuses one class, no rows, and probabilities of NaN"""

import numpy as np
from sklearn.metrics import log_loss

for target, probabilities in (([0], np.ones((1, 1))), ([], np.zeros((0, 2))), ([0], np.array([[np.nan, np.nan]]))):
    try:
        print(log_loss(target, probabilities, labels=range(probabilities.shape[1])))
    except ValueError as error:
        print(error)
