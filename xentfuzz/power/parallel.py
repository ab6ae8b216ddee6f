"""Tasks over processes: each on one core, in a fresh interpreter, so that one entry's crash costs its own figures only."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from xentfuzz.power.measurement import Measurement, Task, measure

# Several tasks share an interpreter, which takes longer to start than most bugs to be found; not too many, as memory is never given back.
TASKS_PER_PROCESS = 20
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def measure_all(tasks: Sequence[Task], jobs: int) -> Iterator[Measurement]:
    """The measurements, in the order in which they are done. A task whose process died is measured alone, once more."""
    os.environ.update(ONE_THREAD)  # the children inherit it: with as many processes as cores, threads only get in each other's way
    lost: list[Task] = []
    yield from _measure(tasks, jobs, lost)
    for task in lost:
        died: list[Task] = []
        yield from _measure([task], 1, died)
        yield from (Measurement(one.entry, one.seed, one.profile, error="its process died") for one in died)


def _measure(tasks: Sequence[Task], jobs: int, lost: list[Task]) -> Iterator[Measurement]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=TASKS_PER_PROCESS) as pool:
        running: dict[Future[Measurement], Task] = {pool.submit(measure, task): task for task in tasks}
        try:
            for future in as_completed(running):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    lost.append(running[future])
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
