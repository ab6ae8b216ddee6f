"""Tasks over processes, one on each core: an entry that takes its process down costs its own figures only."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Generic, TypeVar

GivenTask = TypeVar("GivenTask")
Outcome = TypeVar("Outcome")

# Several tasks share an interpreter, which takes longer to start than most bugs to be found; not too many, as memory is never given back.
TASKS_PER_PROCESS = 20
# With as many processes as cores, threads only get in each other's way.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Work(Generic[GivenTask, Outcome]):
    """do: a function of a module, carried out in another process. died: the outcome of a task whose process died of it."""

    do: Callable[[GivenTask], Outcome]
    died: Callable[[GivenTask], Outcome]
    tasks_per_process: int = TASKS_PER_PROCESS


@dataclass(frozen=True)
class Raised:
    """What went wrong in a thread that hands out tasks, or in a task itself."""

    error: BaseException


def in_processes(work: Work[GivenTask, Outcome], tasks: Sequence[GivenTask], jobs: int) -> Iterator[Outcome]:
    """The outcomes, in the order in which they are done. Raises what a task raises; a task whose process dies has an outcome."""
    os.environ.update(ONE_THREAD)  # the children inherit it
    waiting: SimpleQueue[GivenTask] = SimpleQueue()
    for task in tasks:
        waiting.put(task)
    done: SimpleQueue[Outcome | Raised] = SimpleQueue()
    stopped = Event()
    for _ in range(min(jobs, len(tasks))):
        Thread(target=_work_or_tell, args=(work, waiting, done, stopped), daemon=True).start()
    try:
        for _ in tasks:
            outcome = done.get()
            if isinstance(outcome, Raised):
                raise outcome.error
            yield outcome
    finally:
        stopped.set()


def _work_or_tell(
    work: Work[GivenTask, Outcome], waiting: SimpleQueue[GivenTask], done: SimpleQueue[Outcome | Raised], stopped: Event
) -> None:
    try:
        _work(work, waiting, done, stopped)
    except BaseException as error:  # noqa: BLE001 - whoever waits for outcomes would wait for ever
        done.put(Raised(error))


def _work(work: Work[GivenTask, Outcome], waiting: SimpleQueue[GivenTask], done: SimpleQueue[Outcome | Raised], stopped: Event) -> None:
    """Tasks one after the other, in a process of their own that is replaced now and then."""
    while not stopped.is_set() and not waiting.empty():
        # One pool for each lot: `max_tasks_per_child` of a single pool can deadlock before Python 3.12.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            for _ in range(work.tasks_per_process):
                if stopped.is_set() or not _next(work, pool, waiting, done):
                    break


def _next(
    work: Work[GivenTask, Outcome], pool: ProcessPoolExecutor, waiting: SimpleQueue[GivenTask], done: SimpleQueue[Outcome | Raised]
) -> bool:
    """Carry out one task; False where there is none, or where the process died of it."""
    try:
        task = waiting.get_nowait()
    except Empty:
        return False
    try:
        done.put(pool.submit(work.do, task).result())
    except BrokenProcessPool:
        done.put(work.died(task))
        return False
    return True
