"""softmax and log_softmax: what is called."""

from __future__ import annotations

import numpy as np

from xentfuzz.impls import arguments
from xentfuzz.impls.arguments import Array
from xentfuzz.impls.numba_cpu import recycled
from xentfuzz.impls.numba_cpu.launch import SoftmaxProblem, launch, plan
from xentfuzz.impls.numba_cpu.layout import address_of


def _run(logits: Array, axis: int, upstream: Array | None, *, logarithm: bool) -> Array:
    from xentfuzz.impls.numba_cpu.softmax_kernels import softmax_kernel  # noqa: PLC0415 - importing Numba takes half a second

    out, ticket = recycled.empty(logits.shape, logits.dtype), np.zeros(1, np.int64)
    if out.size:
        planned = plan([logits, upstream, out], axis, lanes=True)
        of_logits, of_upstream, of_out = planned.rows
        problem = SoftmaxProblem(planned.extent, of_logits, of_upstream, of_out, logarithm, address_of(ticket))
        launch(softmax_kernel, problem, logits.dtype, planned, keep=not logarithm or upstream is not None)
    return out


def softmax(logits: Array, *, axis: int) -> Array:
    """Softmax along `axis`: floating logits of any shape to an array of the same shape and dtype."""
    return _run(*arguments.check_softmax(logits, axis), None, logarithm=False)


def softmax_backward(grad_output: Array, logits: Array, *, axis: int) -> Array:
    """Gradient p (g - sum p g) of the softmax with respect to the logits, for the upstream gradient g = `grad_output`."""
    logits, axis = arguments.check_softmax(logits, axis)
    return _run(logits, axis, arguments.check_upstream(grad_output, logits.shape, logits.dtype), logarithm=False)


def log_softmax(logits: Array, *, axis: int) -> Array:
    """Logarithm of the softmax along `axis`: floating logits of any shape to an array of the same shape and dtype."""
    return _run(*arguments.check_softmax(logits, axis), None, logarithm=True)


def log_softmax_backward(grad_output: Array, logits: Array, *, axis: int) -> Array:
    """Gradient g - p sum g of the log-softmax with respect to the logits, for the upstream gradient g = `grad_output`."""
    logits, axis = arguments.check_softmax(logits, axis)
    return _run(logits, axis, arguments.check_upstream(grad_output, logits.shape, logits.dtype), logarithm=True)
