from __future__ import annotations

import pytest

from xentfuzz.benchmark import bandwidth
from xentfuzz.benchmark.bandwidth import measure_bandwidth


def test_a_copy_counts_the_bytes_read_and_the_bytes_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "_seconds", lambda _work, _rounds: 2.0)
    measured = measure_bandwidth(size=1 << 20)
    assert measured.read == (1 << 20) / 2.0
    assert measured.copy == 2 * measured.read


def test_there_are_as_many_threads_as_cores_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert measure_bandwidth(size=1 << 20, rounds=1).threads == 3


def test_the_median_of_the_rounds_is_taken_after_one_that_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    durations = [5.0, 1.0, 3.0]
    moments = [moment for duration in durations for moment in (0.0, duration)]
    monkeypatch.setattr(bandwidth.time, "perf_counter", iter(moments).__next__)
    calls: list[None] = []
    assert bandwidth._seconds(lambda: calls.append(None), rounds=3) == 3.0
    assert len(calls) == 4
