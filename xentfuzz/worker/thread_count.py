"""One number of threads for every library of a process, so that two implementations are timed on the same share of the machine."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

# Read by the libraries when they are loaded; what reads none of them is held by the cores that its threads may use.
VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


def thread_variables(count: int) -> dict[str, str]:
    """The environment of a process whose libraries shall start `count` threads."""
    return dict.fromkeys(VARIABLES, str(count))


@contextlib.contextmanager
def limited_threads(count: int) -> Iterator[Mapping[str, int]]:
    """Within, every library that is loaded uses at most `count` threads, and no thread leaves `count` cores.

    Gives library -> the number that it says it uses. Outside, everything is as it was.
    """
    with ExitStack() as stack:
        stack.enter_context(_limited_cores(count))
        # Before torch's and Numba's own numbers, which it would overwrite.
        in_use = stack.enter_context(_limited_pools(count))
        torch: Any = sys.modules.get("torch")
        if torch is not None and hasattr(torch, "set_num_threads"):
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(count)
            in_use["torch"] = torch.get_num_threads()
        parallel: Any = sys.modules.get("numba.np.ufunc.parallel")
        # Asking starts the threads where they don't run yet.
        if parallel is not None and getattr(parallel, "_is_initialized", False):
            stack.callback(parallel.set_num_threads, parallel.get_num_threads())
            parallel.set_num_threads(min(count, sys.modules["numba"].config.NUMBA_NUM_THREADS))
            in_use["numba"] = parallel.get_num_threads()
        yield in_use


@contextlib.contextmanager
def _limited_pools(count: int) -> Iterator[dict[str, int]]:
    """Thread pools of BLAS and OpenMP, where threadpoolctl is installed: another interpreter may not have it."""
    try:
        import threadpoolctl  # noqa: PLC0415 - an extra
    except ImportError:
        yield {}
        return
    with threadpoolctl.threadpool_limits(count):
        yield {pool["internal_api"]: pool["num_threads"] for pool in threadpoolctl.threadpool_info()}


@contextlib.contextmanager
def _limited_cores(count: int) -> Iterator[None]:
    """The last cores: interrupts of devices go to the first ones."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else set()
    if len(before) <= count:
        yield
        return
    _move(sorted(before)[-count:])
    try:
        yield
    finally:
        _move(sorted(before))


def _move(cores: list[int]) -> None:
    for thread in os.listdir("/proc/self/task"):  # noqa: PTH208 - numbers, not files
        # One that has ended meanwhile needs no core.
        with contextlib.suppress(OSError):
            os.sched_setaffinity(int(thread), cores)
