"""A clock that stands still while this process, or a worker that it waits for, waits for a processor that others have.

What a call is said to take then depends on the call, and not on what else the machine does: the same seed gives the same cases.
"""

from __future__ import annotations

import contextlib
import os
import time
import weakref

# "cpu_ns delay_ns slices" of the thread that leads a process; see Linux' Documentation/scheduler/sched-stats.rst.
SCHEDULER = "/proc/{}/schedstat"
NANOSECOND = 1e-9


class Delay:
    """How many seconds a process has waited for a processor in all; 0 where the system does not tell."""

    def __init__(self, process: int | str) -> None:
        self._last = 0.0
        self._file = -1
        try:
            self._file = os.open(SCHEDULER.format(process), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        weakref.finalize(self, os.close, self._file)

    def seconds(self) -> float:
        """Of a process that has ended: what was last seen."""
        if self._file < 0:
            return self._last
        with contextlib.suppress(OSError, IndexError, ValueError):
            self._last = int(os.pread(self._file, 96, 0).split()[1]) * NANOSECOND
        return self._last


class Clock:
    """Seconds from some moment on."""

    def __init__(self) -> None:
        self._own = Delay("self")
        self._process = os.getpid()
        self._of_workers = 0.0
        self._latest = float("-inf")

    def now(self) -> float:
        # Harness and worker may have waited at the same time, and both are taken off: it stands still then, and never goes back.
        self._latest = max(self._latest, time.monotonic() - self.delay() - self._of_workers)
        return self._latest

    def delay(self) -> float:
        """How many seconds this process itself has waited for a processor in all."""
        if self._process != os.getpid():  # forked: the file tells of the parent
            self._own, self._process = Delay("self"), os.getpid()
        return self._own.seconds()

    def pause(self, seconds: float) -> None:
        """A worker for which this process waited has itself waited for so long."""
        self._of_workers += seconds


CLOCK = Clock()
