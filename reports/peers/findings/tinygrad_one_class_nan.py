"""tinygrad | wrong value | interpreted, unmodified | log_softmax and softmax of a row of one NaN are 0 and 1: x - max(x) of one element is simplified to 0

In the emulator DEV=PYTHON; the simplification is that of every device.
"""

import os

os.environ["DEV"] = "PYTHON"
from tinygrad import Tensor

for row in ([float("nan")], [float("inf")], [float("nan"), 0.0]):
    print(row, Tensor([row]).log_softmax(axis=1).tolist(), Tensor([row]).softmax(axis=1).tolist())
