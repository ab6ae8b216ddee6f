"""A CUDA kernel for arrays on the device; a worker imports this module by name, with the simulator switched on."""

from __future__ import annotations

import numpy as np
from numba import cuda


@cuda.jit
def double(source, result):
    row, column = cuda.grid(2)
    if row < source.shape[0] and column < source.shape[1]:
        result[row, column] = source[row, column] * source.dtype.type(2)


def doubled(logits, target):
    result = cuda.device_array(logits.shape, np.uint16 if logits.dtype == np.uint16 else logits.dtype)
    double[(1, 1), (4, 4)](logits, result)
    return result


def overwritten(logits, target):
    double[(1, 1), (4, 4)](logits, logits)
    return 0.0
