"""What the operating system says about a process: its memory, and how it ended."""

from __future__ import annotations

import os
import signal
from pathlib import Path

SEGFAULTS = {signal.SIGSEGV: "segmentation fault", signal.SIGBUS: "bus error"}
ABORTS = {
    signal.SIGABRT: "abort",
    signal.SIGFPE: "arithmetic exception",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trap",
}


def has_ended(pid: int) -> bool:
    """Whether a child process has ended; it is not waited for, so that its number stays its own."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def private_memory(pid: int) -> int:
    """Bytes that the process alone has in memory or swapped out: not code, not the arena. 0 where the system doesn't say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "VmSwap:")))


def lack_of_memory_kills() -> int:
    """How many processes the system has ended so far because memory ran out; 0 where it doesn't say."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def explain_death(status: int, *, starved: bool) -> tuple[str, str]:
    """The kind of a crash and its message, from a process's exit status (-N for signal N)."""
    if status >= 0:
        return "exit", f"the process exited with status {status}"
    if -status in SEGFAULTS:
        return "segfault", f"{SEGFAULTS[signal.Signals(-status)]} ({_name(-status)})"
    if -status in ABORTS:
        return "abort", f"{ABORTS[signal.Signals(-status)]} ({_name(-status)})"
    if -status == signal.SIGKILL and starved:
        return "out_of_memory", "the system ended it because memory ran out"
    return "worker_killed", f"it was killed from outside ({_name(-status)})"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
