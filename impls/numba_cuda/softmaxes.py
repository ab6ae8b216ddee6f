"""softmax and log_softmax, with their gradients: arguments checked, placed and handed to the kernels."""

from __future__ import annotations

import math
from typing import Any

from xentfuzz.impls import arguments
from xentfuzz.impls.numba_cuda.launch import Launcher
from xentfuzz.impls.numba_cuda.layout import columns_shift, row_blocks
from xentfuzz.impls.numba_cuda.placement import placed, positions
from xentfuzz.impls.numba_cuda.simulation import require_device


def _run(kernel: str, logits: Any, axis: int, upstream: Any = None) -> Any:
    require_device()
    place, logits, upstream = placed(logits, upstream)
    with place.device():
        logits, axis = arguments.check_softmax(logits, axis)
        given = [logits] if upstream is None else [logits, arguments.check_upstream(upstream, logits.shape, logits.dtype)]
        launcher = Launcher(place, logits.dtype.name)
        launcher.know(*given)
        out, result = launcher.empty(logits.shape, logits.dtype)
        rows, classes = math.prod(logits.shape[:axis] + logits.shape[axis + 1 :]), logits.shape[axis]
        if rows * classes > 0:
            matrices = [array.matrix(axis) for array in (*given, out)]
            shape, strides = positions(matrices[0][0].shape, *(rows_of.strides for rows_of, _ in matrices))
            tuples = [(rows_of.address, *of, stride) for (rows_of, stride), of in zip(matrices, strides, strict=True)]
            which = launcher.specialisation(kernel)
            shift = columns_shift(which.threads, logits.dtype.itemsize, rows, classes, matrices[0][1])
            launcher.run(which, (row_blocks(launcher, which, rows, shift), 1), *tuples, shape, rows, classes, shift)
        return result()


def softmax(logits: Any, *, axis: int) -> Any:
    """Softmax along `axis`: floating logits of any shape to an array of the same shape and dtype."""
    return _run("softmax", logits, axis)


def softmax_backward(grad_output: Any, logits: Any, *, axis: int) -> Any:
    """Gradient p (g - sum p g) of the softmax with respect to the logits, for the upstream gradient g = `grad_output`."""
    return _run("softmax_backward", logits, axis, grad_output)


def log_softmax(logits: Any, *, axis: int) -> Any:
    """Logarithm of the softmax along `axis`: floating logits of any shape to an array of the same shape and dtype."""
    return _run("log_softmax", logits, axis)


def log_softmax_backward(grad_output: Any, logits: Any, *, axis: int) -> Any:
    """Gradient g - p sum g of the log-softmax with respect to the logits, for the upstream gradient g = `grad_output`."""
    return _run("log_softmax_backward", logits, axis, grad_output)
