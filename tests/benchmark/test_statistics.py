from __future__ import annotations

import sys

import pytest

from xentfuzz.benchmark.statistics import require_pytest_benchmark, summarise
from xentfuzz.errors import Unavailable


def test_the_summary_is_that_of_the_rounds() -> None:
    summary = summarise([4.0, 1.0, 3.0, 2.0])
    assert summary["median"] == 2.5
    assert summary["iqr"] == 2.0
    assert summary["rounds"] == 4
    assert summary["data"] == [4.0, 1.0, 3.0, 2.0]


def test_without_pytest_benchmark_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytest_benchmark.stats", None)
    with pytest.raises(Unavailable, match=r"pip install 'xentfuzz\[benchmark\]'"):
        require_pytest_benchmark()
