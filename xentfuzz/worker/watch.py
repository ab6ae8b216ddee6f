"""What a worker does for its own end: it dies with its parent, it is the first to go when memory runs out, and it says where it was."""

from __future__ import annotations

import contextlib
import faulthandler
import fcntl
import os
import signal
from pathlib import Path


def die_with(lifeline: int) -> None:
    """End this process when the other end of the pipe `lifeline` is closed, by the kernel's hand.

    A thread that waits for it couldn't run while native code holds the interpreter's lock, and the parent-death signal of Linux is sent
    when the *thread* that started this process ends. A signal on the pipe has neither weakness. Where it can't be chosen it is SIGIO,
    which ends the process as well.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC | os.O_NONBLOCK)
    # The parent may have died before the signal was set up; a living one never writes.
    with contextlib.suppress(BlockingIOError):
        os.read(lifeline, 1)
        os._exit(1)


def offer_to_memory_killer() -> None:
    """Where the machine runs out of memory, Linux shall end this process and not its parent."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def report_crashes() -> None:
    """Print Python's stack on a crash, and on SIGUSR1: what is asked of a call that doesn't return."""
    faulthandler.enable(all_threads=False)
    faulthandler.register(signal.SIGUSR1, all_threads=False)
