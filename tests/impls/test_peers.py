"""Adapters to libraries of others: small, light to register, part of no run unless named, and right where their library is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from xentfuzz import get, implementations
from xentfuzz.command_line.targets import everything, unnamed
from xentfuzz.impls import peers
from xentfuzz.impls.peers import host_arrays
from xentfuzz.impls.peers.host_arrays import Bridge
from xentfuzz.operations import get_operation
from xentfuzz.pytest_checks import check_calls
from xentfuzz.registry import availability, operations_of

MODULES = sorted(Path(next(iter(peers.__path__))).glob("*.py"))
# Others are what several adapters share.
ADAPTERS = [path for path in MODULES if "IMPLEMENTATIONS = " in path.read_text()]
# The same in the floating-point formats of all: an exact result that is not 0, from two rows of three classes.
LOGITS = np.array([[0.0, 1.0, -2.0], [3.0, 0.5, 0.25]], np.float32)
TARGET = np.array([2, 1])
CALLS = sorted((name, operation) for name in implementations() for operation in operations_of(name) if get(name, operation).named_only)


def test_adapters_are_found():
    assert len({name for name, _ in CALLS}) >= 16


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_has_at_most_40_lines(path):
    assert len(path.read_text().splitlines()) <= 40


def test_registration_imports_no_library():
    names = ", ".join(f"xentfuzz.impls.peers.{path.stem}" for path in MODULES)
    loaded = "{name.partition('.')[0] for name in set(sys.modules) - earlier}"
    code = f"import sys\nearlier = set(sys.modules)\nimport {names}\nprint(*{loaded})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "xentfuzz" in loaded
    assert loaded - {"xentfuzz"} - sys.stdlib_module_names == set()


def test_what_names_nothing_takes_none_of_them():
    listed = {(each.name, each.operation) for each in everything()}
    taken = {(each.name, each.operation) for each in unnamed()}
    assert set(CALLS) == listed - taken


@pytest.mark.parametrize(("only", "names"), [(None, set()), (["scipy"], {"scipy"})])
def test_pytest_takes_those_that_are_named(only, names):
    calls = check_calls([], only=only, profile="quick", seed=0, operations=None, checks=["value"], expected_failures=None)
    assert {call.implementation.name for call in calls if call.implementation.named_only} == names


@pytest.mark.parametrize(("name", "operation"), CALLS)
def test_a_missing_library_is_told_with_the_extra_that_brings_it(name, operation, monkeypatch):
    monkeypatch.setattr("xentfuzz.impls.peers.library.find_spec", lambda _: None)
    reason = availability(get(name, operation))
    assert reason is not None
    assert "xentfuzz[peer-" in reason


def test_a_bridge_hands_over_arrays_of_the_library_and_gives_host_arrays():
    def weighted(logits, target, *, weight, reduction):
        # Arrays of this library are tuples: what is no tuple was not loaded.
        return (*(weight[index] * row[index] for row, index in zip(logits, target, strict=True)), reduction)

    def pull_back(function, x, upstream):
        return function(tuple(tuple(upstream[0] * value for value in row) for row in x))

    made = Bridge(lambda array: array.tolist() and tuple(array.tolist()), list, {"nll_loss": weighted}, pull_back)
    (implementation,) = host_arrays.implementations("a_bridge", lambda: made, {"nll_loss": {"options": {"ignore_index": (-100,)}}})
    weight = np.array([1.0, 2.0, 4.0], np.float32)
    assert implementation.forward(LOGITS, TARGET, weight=weight, reduction="sum", ignore_index=-100) == [-8.0, 1.0, "sum"]
    assert implementation.backward(np.full(1, 3.0), LOGITS, TARGET, weight=weight, reduction="sum") == [-24.0, 3.0, "sum"]
    assert (implementation.operation, implementation.named_only) == ("nll_loss", True)
    # The library has no parameter for it: another value than the declared one is its to refuse.
    with pytest.raises(TypeError, match="ignore_index"):
        implementation.forward(LOGITS, TARGET, weight=weight, reduction="sum", ignore_index=3)


@pytest.mark.parametrize(("name", "operation"), CALLS)
def test_a_small_case_is_right(name, operation, named):
    implementation = get(name, operation)
    if (reason := availability(implementation)) is not None:
        pytest.skip(reason)
    reductions = implementation.supports["options"].get("reduction", ())
    options = {"axis": 1} if "axis" in implementation.supports["options"] else {"reduction": (reductions or ("mean",))[0]}
    specification = get_operation(operation)
    arrays = dict(zip((argument.name for argument in specification.arguments), (LOGITS, TARGET), strict=False))
    ours = named(name)
    ours.assert_right(ours.case(operation, **arrays, **options), "value")
