"""The default profile compares enough: at least 100 cases of each (check, dtype), 30 where a simulator runs the kernel.

Left out: checks of which one case takes a tenth of a second or more, and in the simulator those that take more than a call.
"""

from __future__ import annotations

import pytest

import xentfuzz
from xentfuzz.checks.registry import checks_for
from xentfuzz.operations import operation_names

OURS = ("numpy", "numba-cpu", "numba-cuda", "torch-eager")


def too_few(name: str, operation: str, *costs: str) -> list[str]:
    implementation = xentfuzz.get(name, operation)
    counted = [check.name for check in checks_for(operation) if check.cost in costs]
    report = xentfuzz.check(implementation, profile="default", seed=0, checks=counted)
    least = 30 if implementation.simulator else 100
    tried = [result for result in report.checks if result.status != "unsupported"]
    assert tried
    return [f"{result.check} {result.dtype}: {result.cases}" for result in tried if result.cases < least]


def test_numpy_softmax_is_compared_often_enough() -> None:
    assert too_few("numpy", "softmax", "call") == []


@pytest.mark.slow
@pytest.mark.parametrize("operation", operation_names())
@pytest.mark.parametrize("name", OURS)
def test_every_check_of_ours_is_compared_often_enough(name: str, operation: str) -> None:
    simulator = xentfuzz.get(name, operation).simulator
    assert too_few(name, operation, "call", *(() if simulator else ("relation", "protocol"))) == []
