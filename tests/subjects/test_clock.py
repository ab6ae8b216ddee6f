"""The clock stands still while a worker waits for a processor, and never goes back."""

from __future__ import annotations

import os
import time

from xentfuzz.subjects.clock import Clock, Delay


def test_it_goes_on_as_time_does() -> None:
    clock = Clock()
    before = clock.now()
    time.sleep(0.05)
    assert 0 < clock.now() - before <= 5


def test_what_a_worker_waited_is_no_time() -> None:
    clock, other = Clock(), Clock()
    time.sleep(0.05)
    clock.pause(0.04)
    assert 0.03 < other.now() - clock.now() < 0.05


def test_it_never_goes_back() -> None:
    clock = Clock()
    before = clock.now()
    clock.pause(1000.0)
    assert clock.now() == before


def test_the_delay_of_a_process_that_is_gone_is_what_was_last_seen() -> None:
    process = os.posix_spawn("/bin/true", ["true"], {})
    delay = Delay(process)
    os.waitpid(process, 0)
    assert delay.seconds() == delay.seconds() >= 0
