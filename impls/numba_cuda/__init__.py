"""Softmax cross entropy and its relatives as CUDA kernels in Numba.

Each thread keeps a running maximum and a rescaled sum of exponentials over its share of the classes (online softmax, Milakov and Gimelshein
2018), so that a loss reads its logits once. 16- and 32-bit formats are computed in float32, float64 in float64.

    losses, softmaxes     the functions: arguments checked, placed, handed to the kernels
    placement             host and device arrays of several libraries, their allocators and streams
    settings, layout      how a call is laid out on a device; the knobs of that
    launch, driver        running a kernel; the calls of CUDA's driver for it
    compiler              the kernels by name, and their PTX
    rows                  the fast kernel: class indices, classes side by side
    strided, reductions   everything else
    parts                 device functions that kernels are made of
    gpu, simulator        the two sides of the seam: PTX's instructions, and Python that stands for them
    flags                 how a class out of range is noticed

NumPy arrays are copied to the device and results back; torch's and CuPy's arrays, and others with `__cuda_array_interface__`, are used
where they are, in any layout, and results stay there. Without a GPU the kernels run in Numba's simulator, which wants
NUMBA_ENABLE_CUDASIM=1 before Numba is imported. Importing this package needs no Numba.
"""

from __future__ import annotations

from xentfuzz.implementation import Implementation
from xentfuzz.impls import arguments
from xentfuzz.impls.numba_cuda.losses import (
    cross_entropy,
    cross_entropy_backward,
    cross_entropy_value_and_grad,
    nll_loss,
    nll_loss_backward,
)
from xentfuzz.impls.numba_cuda.simulation import SIMULATED, SIMULATOR_VARIABLE, unavailable
from xentfuzz.impls.numba_cuda.softmaxes import log_softmax, log_softmax_backward, softmax, softmax_backward

IMPLEMENTATIONS = tuple(
    Implementation(
        "numba-cuda",
        forward,
        backward=backward,
        value_and_grad=value_and_grad,
        operation=forward.__name__,
        device="cuda",
        dtypes=arguments.FLOAT_NAMES,
        supports=supports,
        grade="shift/any",
        environment={SIMULATOR_VARIABLE: "1"} if SIMULATED else {},
        simulator=SIMULATED,
        unavailable=unavailable,
    )
    for forward, backward, value_and_grad, supports in (
        (softmax, softmax_backward, None, arguments.SOFTMAX_SUPPORT),
        (log_softmax, log_softmax_backward, None, arguments.SOFTMAX_SUPPORT),
        (nll_loss, nll_loss_backward, None, arguments.NLL_LOSS_SUPPORT),
        (cross_entropy, cross_entropy_backward, cross_entropy_value_and_grad, arguments.CROSS_ENTROPY_SUPPORT),
    )
)
