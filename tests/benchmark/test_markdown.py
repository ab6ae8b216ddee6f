from __future__ import annotations

from typing import Any

import pytest

from xentfuzz.benchmark.inputs import Point
from xentfuzz.benchmark.markdown import benchmark_section, duration
from xentfuzz.benchmark.records import add_speed, row_without_time
from xentfuzz.benchmark.statistics import summarise

POINT = Point("cross_entropy", "float32", (128, 1000))


def timed(name: str, seconds: float) -> dict[str, Any]:
    return row_without_time(name, POINT, "loss", "timed", "") | {
        "functions": ["forward"],
        "recipe": {},
        "first_call_seconds": 0.5,
        "bytes": POINT.bytes_moved("loss"),
        "bytes_per_second": POINT.bytes_moved("loss") / seconds,
        "share_of_bandwidth": 0.25,
        "speed": None,
        "stats": summarise([seconds] * 3),
    }


@pytest.fixture
def record() -> dict[str, Any]:
    rows = [
        timed("slow", 2e-3),
        timed("fast", 1e-3),
        row_without_time("wrong", POINT, "loss", "failed", "the loss is 3 ulp off"),
        row_without_time("toy", POINT, "loss", "simulator", ""),
    ]
    add_speed(rows, "slow")
    return {
        "operation": "cross_entropy",
        "seed": 7,
        "baseline": "slow",
        "interrupted": False,
        "threads": 2,
        "load": 1.25,
        "others": 1.5,
        "cores": 2,
        "too_busy": True,
        "bandwidth": {"read": 20e9, "copy": 15e9, "threads": 2},
        "rows": rows,
    }


def test_a_row_shows_median_spread_rounds_speed_rate_and_share(record: dict[str, Any]) -> None:
    section = benchmark_section(record)
    assert "| 128 x 1000 | fast | 1 ms | 0 µs | 3 | 2.00 | 0.5 | 25% | 500 ms |" in section
    assert "| 128 x 1000 | slow | 2 ms | 0 µs | 3 | 1.00 |" in section


def test_a_wrong_implementation_shows_failed_and_no_time(record: dict[str, Any]) -> None:
    section = benchmark_section(record)
    assert "| 128 x 1000 | wrong | FAILED |  |  |  |  |  |  |" in section
    assert "- wrong: failed: the loss is 3 ulp off" in section


def test_a_simulator_is_named_and_not_timed(record: dict[str, Any]) -> None:
    assert "| 128 x 1000 | toy | simulator |  |" in benchmark_section(record)


def test_the_bandwidth_and_the_threads_are_stated(record: dict[str, Any]) -> None:
    section = benchmark_section(record)
    assert "(2 threads): plain read 20.0 GB/s, plain copy 15.0 GB/s." in section
    assert "2 threads for each implementation" in section
    assert "used 1.5 of the 2 cores meanwhile: **too busy to judge**" in section


def test_an_interruption_before_anything_was_measured_is_still_a_section(record: dict[str, Any]) -> None:
    section = benchmark_section({**record, "interrupted": True, "bandwidth": None, "rows": []})
    assert "**Interrupted**" in section
    assert "plain read" not in section


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0 µs"), (1.234e-5, "12.3 µs"), (0.001, "1 ms"), (0.01234, "12.3 ms"), (2.5, "2.5 s"), (1234.0, "1.23e+03 s")],
)
def test_durations_have_three_digits_and_a_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_gradient_moves_the_logits_twice() -> None:
    assert POINT.bytes_moved("loss") == 128 * 1000 * 4
    assert POINT.bytes_moved("loss+gradient") == 2 * 128 * 1000 * 4
    assert Point("cross_entropy", "bfloat16", (3, 5)).bytes_moved("loss") == 30


def test_speed_is_missing_where_the_baseline_was_not_timed() -> None:
    rows = [timed("fast", 1e-3), row_without_time("slow", POINT, "loss", "failed", "wrong")]
    add_speed(rows, "slow")
    assert rows[0]["speed"] is None
