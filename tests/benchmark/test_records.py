from __future__ import annotations

from typing import Any

import pytest

from xentfuzz.benchmark.inputs import Point
from xentfuzz.benchmark.records import add_speed, duration, row_without_time
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
