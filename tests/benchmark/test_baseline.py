from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xentfuzz.benchmark.baseline import changes, compared, stored_record, turn_medians
from xentfuzz.benchmark.statistics import summarise
from xentfuzz.errors import RecordError

ROUNDS = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99, 1.0, 1.02]


def record(factor: float = 1.0, *, read: float = 10e9, too_busy: bool = False, spread: float = 1.0) -> dict[str, Any]:
    seconds = [factor * (1 + spread * (each - 1)) for each in ROUNDS]
    row = {
        "implementation": "mine",
        "operation": "cross_entropy",
        "measure": "loss",
        "dtype": "float32",
        "shape": [4, 5],
        "status": "timed",
        "turns": [1] * len(seconds),
        "stats": summarise(seconds),
    }
    return {"rows": [row], "bandwidth": {"read": read, "copy": 5e9}, "exponentials": {"float32": 1e9}, "too_busy": too_busy}


def counts(old: dict[str, Any], new: dict[str, Any]) -> bool:
    (change,) = changes(old, new)
    return change.counts


def test_a_difference_beyond_the_noise_counts() -> None:
    (change,) = changes(record(), record(1.2))
    assert change.counts
    assert change.percent == pytest.approx(20)
    assert change.p < 0.001


def test_a_faster_one_counts_too_and_is_no_regression() -> None:
    assert counts(record(), record(0.8))
    assert compared(record(0.8), record(), 10)["regressions"] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (record(), record()),
        (record(), record(1.04)),  # smaller than where code lies in memory changes times
        (record(spread=20), record(1.2, spread=20)),  # the middle halves overlap
        (record(), record(1.2, read=7e9)),  # the machine got slower as well
        (record(), record(1.2, too_busy=True)),
        (record(too_busy=True), record(1.2)),
    ],
    ids=["same", "small", "noisy", "machine", "busy now", "busy then"],
)
def test_what_noise_explains_does_not_count(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert not counts(old, new)


def test_regressions_are_those_beyond_the_per_cent_asked_for() -> None:
    assert compared(record(1.2), record(), 10)["regressions"] == 1
    assert compared(record(1.2), record(), 30)["regressions"] == 0
    assert compared(record(1.2), record(), None)["regressions"] == 0


def test_another_shape_is_not_compared() -> None:
    other = record()
    other["rows"][0]["shape"] = [5, 4]
    assert changes(record(), other) == []


def test_a_turn_counts_once_however_many_rounds_it_had() -> None:
    assert turn_medians({"turns": [2, 0, 3], "stats": {"data": [1.0, 3.0, 5.0, 6.0, 9.0]}}) == [2.0, 6.0]


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "--relative-to NAME"), ("no", "is no JSON"), ("[]", "holds no times"), ('{"benchmark": {"rows": []}}', "holds no times")],
)
def test_a_file_without_times_is_refused(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "old.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(RecordError, match=words):
        stored_record(str(file))


def test_a_record_of_a_version_without_turns_is_refused(tmp_path: Path) -> None:
    old = record()
    del old["rows"][0]["turns"]
    file = tmp_path / "old.json"
    file.write_text(json.dumps({"benchmark": old}))
    with pytest.raises(RecordError, match="kept no turns"):
        stored_record(str(file))
