"""Tasks over processes, one on each core: an entry that takes its process down costs its own figures only."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from queue import Empty, SimpleQueue
from threading import Event, Thread

from xentfuzz.power.measurement import Measurement, Task, measure

# Several tasks share an interpreter, which takes longer to start than most bugs to be found; not too many, as memory is never given back.
TASKS_PER_PROCESS = 20
# With as many processes as cores, threads only get in each other's way.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def measure_all(tasks: Sequence[Task], jobs: int) -> Iterator[Measurement]:
    """The measurements, in the order in which they are done."""
    os.environ.update(ONE_THREAD)  # the children inherit it
    waiting: SimpleQueue[Task] = SimpleQueue()
    for task in tasks:
        waiting.put(task)
    done: SimpleQueue[Measurement] = SimpleQueue()
    stopped = Event()
    for _ in range(min(jobs, len(tasks))):
        Thread(target=_work, args=(waiting, done, stopped), daemon=True).start()
    try:
        for _ in tasks:
            yield done.get()
    finally:
        stopped.set()


def _work(waiting: SimpleQueue[Task], done: SimpleQueue[Measurement], stopped: Event) -> None:
    """Tasks one after the other, in a process of their own that is replaced now and then."""
    while not stopped.is_set() and not waiting.empty():
        # One pool for each lot: `max_tasks_per_child` of a single pool can deadlock before Python 3.12.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            for _ in range(TASKS_PER_PROCESS):
                if stopped.is_set() or not _next(pool, waiting, done):
                    break


def _next(pool: ProcessPoolExecutor, waiting: SimpleQueue[Task], done: SimpleQueue[Measurement]) -> bool:
    """Carry out one task; False where there is none, or where the process died of it."""
    try:
        task = waiting.get_nowait()
    except Empty:
        return False
    try:
        done.put(pool.submit(measure, task).result())
    except BrokenProcessPool:
        done.put(Measurement(task.entry, task.seed, task.profile, error="its process died"))
        return False
    return True
