"""Tasks are spread over processes, each measured once."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool
from queue import SimpleQueue

import pytest

from xentfuzz.power.measurement import MEASURING, Measurement, Task, measure_all
from xentfuzz.power.parallel import Work, _next, in_processes


def queue(*tasks):
    waiting = SimpleQueue()
    for task in tasks:
        waiting.put(task)
    return waiting


class DiedPool:
    """A pool whose process dies of every task."""

    def submit(self, *_):
        raise BrokenProcessPool


def test_every_task_is_measured_once():
    tasks = [Task(entry, seed, "quick") for entry in ("R43", "R48") for seed in (0, 1)]
    measured = list(measure_all(tasks, jobs=2))
    assert sorted((run.entry, run.seed) for run in measured) == [("R43", 0), ("R43", 1), ("R48", 0), ("R48", 1)]
    assert all(run.found for run in measured)


def test_a_process_that_died_is_an_error_of_its_task_alone():
    waiting, done = queue(Task("R02", 3, "quick"), Task("R04", 3, "quick")), SimpleQueue()
    assert not _next(MEASURING, DiedPool(), waiting, done)
    assert done.get() == Measurement("R02", 3, "quick", error="its process died")
    assert waiting.qsize() == 1


def test_what_a_task_raises_reaches_whoever_waits_for_it():
    outcomes = in_processes(Work(int, died=int), ["1", "no number", "2"], jobs=1)
    assert next(outcomes) == 1
    with pytest.raises(ValueError, match="no number"):
        list(outcomes)


def test_nothing_to_do_ends_a_process():
    assert not _next(MEASURING, DiedPool(), queue(), SimpleQueue())


@pytest.mark.parametrize("jobs", [1, 8])
def test_no_tasks_are_no_measurements(jobs):
    assert list(measure_all([], jobs)) == []
