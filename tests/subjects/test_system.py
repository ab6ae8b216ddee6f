"""How the end of a process is named."""

from __future__ import annotations

import os
import signal

import pytest

from xentfuzz.subjects.system import explain_death, has_ended, lack_of_memory_kills, private_memory


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (0, "exit", "the process exited with status 0"),
        (3, "exit", "the process exited with status 3"),
        (-signal.SIGSEGV, "segfault", "segmentation fault (SIGSEGV)"),
        (-signal.SIGBUS, "segfault", "bus error (SIGBUS)"),
        (-signal.SIGABRT, "abort", "abort (SIGABRT)"),
        (-signal.SIGILL, "abort", "illegal instruction (SIGILL)"),
        (-signal.SIGKILL, "worker_killed", "it was killed from outside (SIGKILL)"),
        (-signal.SIGTERM, "worker_killed", "it was killed from outside (SIGTERM)"),
        (-(signal.SIGRTMIN + 3), "worker_killed", f"it was killed from outside (signal {signal.SIGRTMIN + 3})"),
    ],
)
def test_an_exit_status_is_named(status, kind, message):
    assert explain_death(status, starved=False) == (kind, message)


def test_a_kill_while_the_machine_ran_out_of_memory_is_put_down_to_that():
    assert explain_death(-signal.SIGKILL, starved=True)[0] == "out_of_memory"
    assert explain_death(-signal.SIGSEGV, starved=True)[0] == "segfault"


def test_private_memory_grows_with_what_is_written_and_is_none_for_nobody():
    before = private_memory(os.getpid())
    kept = bytearray(os.urandom(1)) * (64 << 20)
    assert private_memory(os.getpid()) - before > len(kept) // 2
    assert private_memory(1 << 30) == 0
    assert lack_of_memory_kills() >= 0


def test_a_child_is_seen_to_end_without_being_waited_for():
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert has_ended(pid)
    os.waitpid(pid, 0)
    assert has_ended(pid)
