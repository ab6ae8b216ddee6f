"""Compile the kernels that `gpu_check.py` runs, without a GPU, into a folder that it takes them from.

python tests/bench/compile_kernels.py DIR [MAJOR MINOR]. What is there already is left; one process for each processor.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

DTYPES = ("float32", "bfloat16", "float16", "float64")
PLAIN = (
    "total",
    "denominator",
    "cross_entropy",
    "nll_loss",
    "nll_loss_backward",
    "softmax",
    "log_softmax",
    "softmax_backward",
    "log_softmax_backward",
)
FOR_LOSS, FOR_BOTH = ("loss", "pieces"), ("loss_and_gradient", "shared_loss_and_gradient")


def wanted():
    """The kernels, those of the usual settings first."""
    from gpu.tuning import BOTH, LOSS

    from xentfuzz.impls.numba_cuda.compiler import READING_VECTORS, Specialisation
    from xentfuzz.impls.numba_cuda.settings import Settings

    def of(kernel, dtype, knobs):
        if kernel not in READING_VECTORS:
            return Specialisation(kernel, dtype, knobs.threads)
        return Specialisation(kernel, dtype, knobs.threads, knobs.vectors, knobs.resident, knobs.load_hint, knobs.store_hint)

    found = {}
    for dtype in DTYPES:
        for kernel in (*FOR_LOSS, "finish_loss", *FOR_BOTH, *PLAIN):
            if not (kernel.startswith("shared") and dtype == "float64"):
                found[of(kernel, dtype, Settings())] = None
        found[of("finish_loss_and_gradient", dtype, Settings())] = None
    for dtype in DTYPES[:2]:
        for kernels, sets in ((FOR_LOSS, LOSS), (FOR_BOTH, BOTH)):
            for changes in sets:
                for kernel in (*kernels, "finish_loss", "total", "denominator"):
                    found[of(kernel, dtype, Settings(**changes))] = None
    return list(found)


def compile_one(which, capability, load):
    """load: into a context of this machine's GPU, too: CUDA's driver keeps what it assembles for the processes that follow."""
    from numba import cuda
    from numba.cuda import dispatcher

    from xentfuzz.impls.numba_cuda import driver
    from xentfuzz.impls.numba_cuda.compiler import entry_name, ptx

    # Numba asks the current device when it compiles a device function, and is told about one that is not there.
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    text = ptx(which, capability)
    if load:
        cuda.current_context()
        driver.Function(text, entry_name(text), which.threads)
    return "-".join(str(word) for word in astuple(which))


def compile_all(capability, *, load=False):
    """Compile what is not there yet; yields each one's name."""
    # Processes of their own from the start: a forked one could not use CUDA after its parent has.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield from pool.map(compile_one, wanted(), repeat(capability), repeat(load))


def main() -> None:
    folder, *numbers = sys.argv[1:]
    os.environ["XENTFUZZ_CUDA_CACHE"] = str(Path(folder).resolve())
    os.environ.pop("NUMBA_ENABLE_CUDASIM", None)
    sys.path.insert(0, str(Path(__file__).parent))
    for name in compile_all((int(numbers[0]), int(numbers[1])) if numbers else (9, 0)):
        print(name, flush=True)


if __name__ == "__main__":
    main()
