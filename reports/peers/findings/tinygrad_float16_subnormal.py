"""tinygrad | accuracy below grade | interpreted, unmodified | float16 numbers below 6.1e-5, the subnormal ones, are 0 in the emulator, and so are probabilities and losses

In the emulator DEV=PYTHON: another device may keep them.
"""

import os

os.environ["DEV"] = "PYTHON"
import numpy as np
from tinygrad import Tensor

for value in (1e-4, 5e-5, 2e-6):
    print(
        value,
        "times 1:",
        (Tensor(np.array([value], np.float16)) * 1.0).numpy(),
        "plus 0:",
        (Tensor(np.array([value], np.float16)) + 0.0).numpy(),
    )
    print(value, "halved:", (Tensor(np.array([value], np.float16)) * 0.5).numpy())
print("softmax of 0, 10:", Tensor(np.array([[0.0, 10.0]], np.float16)).softmax(axis=1).numpy(), "exact: 4.54e-5, 0.99995")
