"""The default profile compares enough: at least 100 cases of each (check, dtype), 30 where a simulator runs the kernel."""

from __future__ import annotations

import pytest

import xentfuzz
from xentfuzz.checks.registry import checks_for
from xentfuzz.operations import operation_names

OURS = ("numpy", "numba-cpu", "numba-cuda", "torch-eager")


def counted(operation: str) -> list[str]:
    """Checks of which every case is one call or one identity; those of conduct and of large inputs have counts of their own."""
    return [check.name for check in checks_for(operation) if check.cost == "call"]


def too_few(name: str, operation: str) -> list[str]:
    implementation = xentfuzz.get(name, operation)
    report = xentfuzz.check(implementation, profile="default", seed=0, checks=counted(operation))
    least = 30 if implementation.simulator else 100
    tried = [result for result in report.checks if result.status != "unsupported"]
    assert tried
    return [f"{result.check} {result.dtype}: {result.cases}" for result in tried if result.cases < least]


def test_numpy_softmax_is_compared_often_enough() -> None:
    assert too_few("numpy", "softmax") == []


@pytest.mark.slow
@pytest.mark.parametrize("operation", operation_names())
@pytest.mark.parametrize("name", OURS)
def test_every_check_of_ours_is_compared_often_enough(name: str, operation: str) -> None:
    assert too_few(name, operation) == []
