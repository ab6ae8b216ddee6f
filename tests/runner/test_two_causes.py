"""Two faults planted in one kernel are two findings, and one fault is one: no cause hides behind another, none is told twice."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

import xentfuzz
from xentfuzz.failures.failure import Failure
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings

HERE = Path(__file__).parent
SUPPORTS = {"targets": ("index",), "target_dtypes": ("int64",), "ranks": (2,), "options": {"ignore_index": (-100,), "reduction": None}}
# Checks by which the planted faults are found, and some that see their traces.
CHECKS = (
    "value",
    "gradient",
    "shape",
    "special_value",
    "special_gradient",
    "inputs_unchanged",
    "ignored_rows_can_be_dropped",
    "reductions_agree",
    "repeatable",
    "no_memory_of_earlier_calls",
    "results_are_own_memory",
    "stays_in_bounds",
    "writes_every_element",
    "leaves_surroundings_alone",
    "rejects_out_of_range_targets",
)
FAULTS: dict[str, set[str]] = {}


def planted_faults() -> dict[str, set[str]]:
    scope: dict[str, object] = {}
    exec((HERE / "planted.py").read_text(), scope)  # noqa: S102 - the folder is no package
    faults = scope["FAULTS"]
    assert isinstance(faults, dict)
    return faults


FAULTS = planted_faults()
PAIRS = list(combinations(FAULTS, 2))
QUICK = PAIRS[::11]


def findings(folder: Path, *faults: str) -> list[Failure]:
    source = (HERE / "planted.py").read_text() + f"\n\nLOSS = planted{faults!r}\n" if len(faults) > 1 else ""
    source = source or (HERE / "planted.py").read_text() + f"\n\nLOSS = planted({faults[0]!r})\n"
    (folder / "kernel.py").write_text(source)
    place = f"{folder / 'kernel.py'}:LOSS"
    kernel = xentfuzz.Implementation("planted", place, backward=f"{place}.backward", dtypes=("float32",), supports=SUPPORTS)
    return run_checks([kernel], Settings("check", get_profile("quick"), seed=0, examples=16, isolate=True, checks=CHECKS))[0].unexpected


def told(found: list[Failure]) -> list[tuple[str, str, tuple[str, ...], str]]:
    return [(failure.check, failure.kind, failure.needs, failure.headline) for failure in found]


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_is_one_finding(tmp_path: Path, fault: str) -> None:
    found = findings(tmp_path, fault)
    assert [failure.kind in FAULTS[fault] for failure in found] == [True], told(found)


def holds_both(found: list[Failure], first: str, second: str) -> bool:
    kinds = [failure.kind for failure in found]
    return any(one in FAULTS[first] and other in FAULTS[second] for one, other in combinations(kinds, 2)) or any(
        one in FAULTS[second] and other in FAULTS[first] for one, other in combinations(kinds, 2)
    )


@pytest.mark.parametrize(("first", "second"), QUICK)
def test_two_faults_are_two_findings(tmp_path: Path, first: str, second: str) -> None:
    found = findings(tmp_path, first, second)
    assert holds_both(found, first, second), told(found)


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_any_two_faults_are_two_findings(tmp_path: Path, first: str, second: str) -> None:
    found = findings(tmp_path, first, second)
    assert holds_both(found, first, second), told(found)
