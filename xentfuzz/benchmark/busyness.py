"""How much of the machine others used while something was timed: their work is in every time, and no statistics take it out again."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from xentfuzz.environment import available_cores

# Cores that others may use, as a share of those that there are, before times are no longer believed.
TOLERABLE_SHARE = 0.1
# Fields of a line of /proc/stat (proc(5)): all that is not idle (3), waiting (4), or counted in another field already (guests, 8 and 9).
BUSY_FIELDS = (0, 1, 2, 5, 6, 7)


@dataclass(frozen=True)
class Busyness:
    """others: cores that other processes, or other guests of the machine under this one, used on average; of `cores`."""

    others: float
    cores: int

    @property
    def too_busy(self) -> bool:
        return self.others > TOLERABLE_SHARE * self.cores


class OthersWatch:
    """Compares two moments; begins when it is made."""

    def __init__(self) -> None:
        self._began = self._now()

    def result(self) -> Busyness | None:
        """Since the beginning; None where the system doesn't tell, or no time has passed."""
        now = self._now()
        if self._began is None or now is None or now[0] <= self._began[0]:
            return None
        elapsed, busy, own = (after - before for before, after in zip(self._began, now, strict=True))
        return Busyness(max(0.0, (busy - own) / elapsed), available_cores())

    def _now(self) -> tuple[float, float, float] | None:
        """Time, seconds that the cores worked that this process may use, and those that this process and what it started worked."""
        try:
            return time.perf_counter(), _busy_seconds(), _own_seconds()
        except (OSError, ValueError, IndexError):
            return None


def _busy_seconds() -> float:
    cores = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    return sum(int(line[1:][index]) for line in lines if line and line[0] in cores for index in BUSY_FIELDS) / _ticks()


def _own_seconds() -> float:
    """Of the living tree of processes; what ended in it is in the times of who waited for it."""
    parents, seconds = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                # The second field, the name, may hold blanks and brackets.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
            seconds[int(folder.name)] = sum(map(int, fields[11:15])) / _ticks()
    return sum(spent for process, spent in seconds.items() if _descends(process, parents))


def _descends(process: int, parents: dict[int, int]) -> bool:
    while process in parents:
        if process == os.getpid():
            return True
        process = parents[process]
    return False


def _ticks() -> int:
    return os.sysconf("SC_CLK_TCK")
