from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xentfuzz.benchmark.inputs import Point
from xentfuzz.benchmark.records import row_without_time
from xentfuzz.benchmark.statistics import summarise
from xentfuzz.benchmark.stored import EXTRA, pytest_benchmark_form

ENVIRONMENT = {"implementation": "CPython", "python": "3.11.7", "system": "Linux", "machine": "x86_64", "cores": "2", "cpu": "Some CPU"}


@pytest.fixture
def stored() -> dict[str, Any]:
    point = Point("cross_entropy", "float32", (128, 1000))
    row = dict.fromkeys(EXTRA) | row_without_time("fast", point, "loss", "timed", "") | {"stats": summarise([0.25, 0.5, 0.75])}
    return pytest_benchmark_form({"rows": [row, row_without_time("wrong", point, "loss", "failed", "it is wrong")]}, ENVIRONMENT)


def test_pytest_benchmark_compares_the_file(stored: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "benchmark.json").write_text(json.dumps(stored | {"growth": {"classes": []}}))
    command = [sys.executable, "-m", "pytest_benchmark", "compare", "benchmark.json", "--columns=median,rounds", "--group-by=group"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "loss float32 128x1000" in shown
    assert "loss[fast-float32-128x1000]" in shown
    assert "500.0000" in shown


def test_what_has_no_time_is_left_out(stored: dict[str, Any]) -> None:
    assert [benchmark["params"]["implementation"] for benchmark in stored["benchmarks"]] == ["fast"]


def test_the_machine_has_no_name(stored: dict[str, Any]) -> None:
    assert stored["machine_info"]["cpu"] == {"brand_raw": "Some CPU", "count": 2}
    assert "node" not in stored["machine_info"]


def test_how_cost_grows_is_in_the_file_where_it_was_measured(stored: dict[str, Any]) -> None:
    growth: dict[str, Any] = {"classes": [{"median": 0.5}]}
    assert pytest_benchmark_form({"rows": [], "growth": growth}, ENVIRONMENT)["growth"] == growth
    assert "growth" not in stored
