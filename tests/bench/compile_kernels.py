"""Compile the kernels that `gpu_check.py` runs, without a GPU, into a folder that it takes them from.

python tests/bench/compile_kernels.py DIR [MAJOR MINOR]. What is there already is left; one process for each processor.
"""

from __future__ import annotations

import itertools
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import astuple
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

DTYPES = ("float32", "bfloat16", "float16", "float64")
PLAIN = ("total", "denominator", "cross_entropy", "nll_loss", "nll_loss_backward", "softmax", "log_softmax", "softmax_backward")
PLAIN += ("log_softmax_backward",)
HELD = ("held_loss_and_gradient", "held_loss")
ROWS = ("loss", "loss_and_gradient", "pieces", "finish_loss", "finish_loss_and_gradient", "shared_loss_and_gradient")


def specialisation(kernel, dtype, knobs):
    """As `Launcher.specialisation`, without a place to launch from."""
    from xentfuzz.impls.numba_cuda.launch import Launcher

    return Launcher.specialisation(SimpleNamespace(settings=knobs, floating=dtype), kernel)


def usual(dtype, kernel):
    """Knobs that are usual for a kernel for rows side by side."""
    from xentfuzz.impls.numba_cuda.settings import FOR_ROWS

    return FOR_ROWS.get(("gradient" in kernel, dtype), {})


def usual_kernels():
    """What calls run as long as nobody changes a knob."""
    from xentfuzz.impls.numba_cuda.settings import Settings

    found = {}
    for dtype in DTYPES:
        for kernel in (*HELD, *ROWS, "total"):
            if not (kernel.startswith(("shared", "held")) and dtype == "float64"):
                found[specialisation(kernel, dtype, Settings(**usual(dtype, kernel)))] = None
        for kernel in PLAIN:
            found[specialisation(kernel, dtype, Settings())] = None
    return list(found)


def tried_kernels():
    """What the stage that tries knobs runs."""
    from gpu import tuning

    from xentfuzz.impls.numba_cuda.settings import Settings

    plan = [
        (tuning.BOTH, HELD[:1]),
        (tuning.LOSS, ("loss", "total")),
        (tuning.SHORT, ("loss", "loss_and_gradient", "total", "denominator")),
        (tuning.FEW_LOSS, HELD[1:]),
    ]
    for sets, kernels in plan:
        for changes, dtype, kernel in itertools.product(sets, DTYPES[:2], kernels):
            knobs = Settings(**{**usual(dtype, kernel), **changes})
            if knobs.held or kernel not in HELD:
                yield specialisation(kernel, dtype, knobs)


def wanted():
    """The kernels: the usual ones, then those that are tried."""
    return list(dict.fromkeys([*usual_kernels(), *tried_kernels()]))


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


def compile_all(capability, *, load=False, seconds=3600.0, kernels=None):
    """Compile what is not there yet, for so long; yields each one's name, or what went wrong."""
    # Processes of their own from the start: a forked one could not use CUDA after its parent has.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(compile_one, which, capability, load) for which in kernels or wanted()]
        try:
            for future in as_completed(futures, timeout=seconds):
                error = future.exception()
                yield future.result() if error is None else f"FAILED: {error!r}"[:600]
        except TimeoutError:
            yield f"FAILED: {sum(not future.done() for future in futures)} kernels left after {seconds} s"
        pool.shutdown(wait=True, cancel_futures=True)


def main() -> None:
    folder, *numbers = sys.argv[1:]
    os.environ["XENTFUZZ_CUDA_CACHE"] = str(Path(folder).resolve())
    os.environ.pop("NUMBA_ENABLE_CUDASIM", None)
    sys.path.insert(0, str(Path(__file__).parent))
    for name in compile_all((int(numbers[0]), int(numbers[1])) if numbers else (9, 0)):
        print(name, flush=True)


if __name__ == "__main__":
    main()
