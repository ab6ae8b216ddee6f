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
from xentfuzz.operations import get_operation
from xentfuzz.pytest_checks import check_calls
from xentfuzz.registry import availability, operations_of

MODULES = sorted(Path(next(iter(peers.__path__))).glob("*.py"))
# The same in the floating-point formats of all: an exact result that is not 0, from two rows of three classes.
LOGITS = np.array([[0.0, 1.0, -2.0], [3.0, 0.5, 0.25]], np.float32)
TARGET = np.array([2, 1])
CALLS = sorted((name, operation) for name in implementations() for operation in operations_of(name) if get(name, operation).named_only)


def test_adapters_are_found():
    assert {"onnx-reference", "onnxruntime", "optax", "scikit-learn", "scipy"} <= {name for name, _ in CALLS}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
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
