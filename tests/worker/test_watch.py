"""A worker ends with its parent, also where that happened before it began to watch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

PRELUDE = "import os, sys, time\nfrom xentfuzz.worker import watch\n"


def status_of(code, *arguments, **options):
    return subprocess.run([sys.executable, "-c", PRELUDE + code, *arguments], check=False, capture_output=True, text=True, **options)


def test_a_parent_that_is_gone_already():
    done = status_of("read, write = os.pipe()\nos.close(write)\nwatch.die_with(read)\nprint('alive')")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_parent_that_goes_later():
    done = status_of("read, write = os.pipe()\nwatch.die_with(read)\nprint('alive', flush=True)\nos.close(write)\ntime.sleep(60)")
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "alive\n")


def test_a_parent_that_lives():
    done = status_of("read, write = os.pipe()\nwatch.die_with(read)\nprint('alive')")
    assert (done.returncode, done.stdout) == (0, "alive\n")


def test_the_system_is_offered_this_process_first_when_memory_runs_out():
    done = status_of("watch.offer_to_memory_killer()\nprint(open('/proc/self/oom_score_adj').read())")
    assert done.stdout.split() == ["1000"]


def test_a_signal_asks_where_the_process_is():
    done = status_of(f"watch.report_crashes()\ndef here():\n    os.kill(os.getpid(), {int(signal.SIGUSR1)})\nhere()", env={**os.environ})
    assert "in here" in done.stderr
    assert done.returncode == 0
