"""The roof over a time: what this machine needs for the least that a result costs, in memory traffic and in exponentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from xentfuzz.benchmark.bandwidth import Bandwidth, measure_bandwidth
from xentfuzz.benchmark.exponential import measure_exponentials
from xentfuzz.benchmark.inputs import Point
from xentfuzz.operations.operation import Work

# A time below this share of what the roof allows is an error, of the measurement or of the implementation. Half: a machine that was busy
# while the roof was measured, streaming stores that a plain copy does not use, and a shorter polynomial for the exponential are no errors.
BELIEVABLE = 0.5


@dataclass(frozen=True)
class Roof:
    """seconds: of the slower of memory and arithmetic. limit: which that is, "read", "copy" or "exp". least: below it, no time is true."""

    seconds: float
    limit: str
    least: float


@dataclass
class Roofs:
    """What was measured in this run, each figure once; the fastest where it was measured again."""

    threads: int
    memory: dict[int, Bandwidth] = field(default_factory=dict)
    exponentials: dict[str, float | None] = field(default_factory=dict)

    def bandwidth(self, size: int) -> Bandwidth:
        """Of a buffer of `size` bytes."""
        if size not in self.memory:
            self.memory[size] = measure_bandwidth(self.threads, size)
        return self.memory[size]

    def roof(self, point: Point, measure: str) -> Roof | None:
        """None where the least is next to nothing."""
        work = point.work(measure)
        if not work.reads + work.writes:
            return None
        if point.dtype not in self.exponentials:
            self.exponentials[point.dtype] = measure_exponentials(point.dtype, self.threads)
        return roof_of(work, point.work(point.measures[0]), point, self.bandwidth(point.nbytes), self.exponentials[point.dtype])

    def again(self, point: Point, measure: str) -> Roof | None:
        """Measured once more: what disturbed the machine then may be over."""
        if point.nbytes in self.memory:
            old, new = self.memory[point.nbytes], measure_bandwidth(self.threads, point.nbytes)
            self.memory[point.nbytes] = Bandwidth(max(old.read, new.read), max(old.copy, new.copy), self.threads)
        rate = self.exponentials.get(point.dtype)
        if rate is not None:
            self.exponentials[point.dtype] = max(rate, measure_exponentials(point.dtype, self.threads) or 0.0)
        return self.roof(point, measure)


def roof_of(work: Work, value_work: Work, point: Point, bandwidth: Bandwidth, exponentials: float | None) -> Roof:
    """exponentials: elements a second, None where they were not measured. A gradient may keep the exponentials of the value: what is
    believed counts those of `value_work` alone.
    """
    rate, kind = (bandwidth.copy, "copy") if work.writes else (bandwidth.read, "read")
    memory = point.nbytes * (work.reads + work.writes) / rate
    count = prod(point.shape)
    arithmetic = 0.0 if exponentials is None else count * work.exponentials / exponentials
    kept = 0.0 if exponentials is None else count * min(work.exponentials, value_work.exponentials) / exponentials
    seconds, limit = max((memory, kind), (arithmetic, "exp"))
    return Roof(seconds, limit, BELIEVABLE * max(memory, kept))
