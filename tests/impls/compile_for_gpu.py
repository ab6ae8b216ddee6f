"""Compile every CUDA kernel to PTX for a compute capability, without a GPU: `python compile_for_gpu.py 9 0`. Prints a line per kernel.

Run in a process of its own: numba-cuda asks the current device when it compiles a device function, and is told about one that is not there.
"""

import sys
from types import SimpleNamespace

import numba
from numba import cuda
from numba.cuda import dispatcher, types

from xentfuzz.impls import numba_cuda

integer, number, flag = numba.int64, numba.float64, numba.boolean


def signatures(storage, layout):
    """Kernel name -> argument types, for arrays of the dtype `storage`: in C order as from the host, or strided as on the device."""
    matrix, positions = types.Array(storage, 4, layout), types.Array(storage, 3, layout)
    weights, targets = types.Array(storage, 1, "C"), types.Array(types.int64, 3, layout)
    losses = types.Array(types.float64, 3, "C")
    rounding = (flag, number)
    return {
        "softmax_kernel": (matrix, flag, matrix, flag, *rounding),
        "softmax_backward_kernel": (matrix, matrix, flag, matrix, flag, *rounding),
        "denominator_kernel": (targets, weights, integer, integer, types.Array(types.float64, 1, "C"), flag),
        "total_kernel": (losses, number, positions, *rounding),
        "round_kernel": (losses, positions, *rounding),
        "nll_loss_kernel": (matrix, targets, weights, integer, losses, flag),
        "nll_loss_backward_kernel": (targets, weights, integer, positions, number, matrix, *rounding),
        "cross_entropy_kernel": (
            *(matrix, matrix, targets, weights, integer, number, number),
            *(positions, number, losses, matrix, flag, *rounding),
        ),
    }


def compile_all(capability):
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    numba_cuda.SIMULATED = False  # a GPU's code is wanted, whether there is one or not
    numba_cuda.compile_kernels()
    for storage in (types.float16, types.uint16, types.float32, types.float64):
        for layout in ("C", "A"):
            for name, arguments in signatures(storage, layout).items():
                ptx, _ = cuda.compile(getattr(numba_cuda, name).py_func, arguments, cc=capability)
                print(name, storage, layout, ptx.count("\n"), flush=True)


compile_all((int(sys.argv[1]), int(sys.argv[2])))
