from __future__ import annotations

import pytest

from xentfuzz.benchmark import bandwidth
from xentfuzz.benchmark.bandwidth import ROUND_BYTES, fastest_seconds, measure_bandwidth


def test_a_copy_counts_the_bytes_read_and_the_bytes_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "fastest_seconds", lambda _work: 2.0)
    measured = measure_bandwidth(threads=1, size=2 * ROUND_BYTES)
    assert measured.read == 2 * ROUND_BYTES / 2.0
    assert measured.copy == 2 * measured.read


def test_a_small_buffer_is_read_so_often_that_a_round_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "fastest_seconds", lambda _work: 1.0)
    assert measure_bandwidth(threads=2, size=1 << 20).read == ROUND_BYTES


def test_the_fastest_round_is_taken_after_one_that_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    durations = [5.0, 1.0, 3.0]
    moments = [moment for duration in durations for moment in (0.0, duration)]
    monkeypatch.setattr(bandwidth.time, "perf_counter", iter(moments).__next__)
    calls: list[None] = []
    assert fastest_seconds(lambda: calls.append(None), rounds=3) == 1.0
    assert len(calls) == 4
