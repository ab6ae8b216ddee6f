"""The record in pytest-benchmark's own JSON form, which `pytest-benchmark compare` reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from xentfuzz.benchmark.records import shape_words

EXTRA = (
    *("status", "functions", "recipe", "first_call_seconds", "floor_seconds", "bytes", "bytes_per_second", "share_of_bandwidth", "speed"),
    *("roof_seconds", "roof_limit", "share_of_roof", "impossible", "pools", "turns", "operation", "shape"),
)


def pytest_benchmark_form(record: Mapping[str, Any], environment: Mapping[str, Any]) -> dict[str, Any]:
    """The timed rows of `record` as a file of pytest-benchmark; `environment`: versions and machine, as in a results document.

    "growth" is ours: how cost grows (see `growth.py`), where that was measured; pytest-benchmark passes over it.
    """
    return {
        "machine_info": _machine_info(environment),
        "commit_info": {},
        "benchmarks": [_benchmark(row) for row in record["rows"] if row["status"] == "timed"],
        "datetime": datetime.now(UTC).isoformat(),
        "version": metadata.version("pytest-benchmark"),
        **({"growth": record["growth"]} if "growth" in record else {}),
    }


def _machine_info(environment: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "python_implementation": environment["implementation"],
        "python_implementation_version": environment["python"],
        "python_version": environment["python"],
        "system": environment["system"],
        "machine": environment["machine"],
        "cpu": {"brand_raw": environment.get("cpu", ""), "count": int(environment["cores"])},
        "libraries": dict(environment),
    }


def _benchmark(row: Mapping[str, Any]) -> dict[str, Any]:
    shape = shape_words(row).replace(" ", "")
    param = f"{row['implementation']}-{row['dtype']}-{shape}"
    name = f"{row['measure']}[{param}]"
    return {
        "group": f"{row['measure']} {row['dtype']} {shape}",
        "name": name,
        "fullname": f"xentfuzz bench::{name}",
        "params": {key: row[key] for key in ("implementation", "dtype", "rows", "classes")},
        "param": param,
        "extra_info": {key: row.get(key) for key in EXTRA},
        "options": {"disable_gc": True, "timer": "perf_counter", "warmup": True},
        "stats": {**row["stats"], "iterations": 1},
    }
