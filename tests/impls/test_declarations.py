"""What the implementations declare about themselves, and what it takes to import them."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import xentfuzz
from xentfuzz import get
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.operations import get_operation, operation_names
from xentfuzz.operations.grades import LADDER, parse_grade

MODULES = {"numpy": "numpy_stable", "torch-eager": "torch_eager", "numba-cpu": "numba_cpu", "numba-cuda": "numba_cuda"}
COMPLETE = ("numpy", "numba-cpu", "numba-cuda")
# Beyond what the operations have. check: whether to wait for the device to find a class out of range.
OWN_OPTIONS = {"numba-cuda": {"check"}}


@pytest.fixture(params=operation_names())
def operation(request):
    return get_operation(request.param)


def at_least(grade, other):
    """Whether a grade is as strict as another."""
    return LADDER.index(parse_grade(grade)) <= LADDER.index(parse_grade(other))


@pytest.mark.parametrize("name", COMPLETE)
def test_everything_is_declared(name, operation):
    implementation = get(name, operation=operation.name)
    assert tuple(implementation.dtypes) == FLOAT_NAMES
    assert implementation.supports["ranks"] == (1, 2, 3, 4)
    assert "layouts" not in implementation.supports
    assert all(values is None for values in implementation.supports["options"].values())
    assert set(implementation.supports["options"]) == {option.name for option in operation.options if not option.opt_in}
    if operation.name == "cross_entropy":
        assert set(implementation.supports["targets"]) == {"index", "probabilities"}
    assert implementation.backward is not None
    assert not implementation.mutates
    assert not implementation.aliases


@pytest.mark.parametrize("module", [MODULES[name] for name in COMPLETE] + ["arguments"])
def test_nothing_is_left_unimplemented(module):
    path = Path(importlib.import_module(f"xentfuzz.impls.{module}").__file__)
    sources = path.parent.glob("*.py") if path.name == "__init__.py" else [path]
    assert [source.name for source in sources if "NotImplemented" in source.read_text()] == []


@pytest.mark.parametrize("name", ["numpy", "numba-cpu"])
def test_no_case_is_answered_by_not_implemented(name, operation):
    report = xentfuzz.check(get(name, operation=operation.name), profile="quick", max_examples=60, seed=0, checks=["value", "gradient"])
    assert sum(result.cases for result in report.checks) > 400
    assert report.unsupported == {}


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("dtype", FLOAT_NAMES)
def test_grade_is_working_precision_or_stricter(name, operation, dtype):
    assert at_least(get(name, operation=operation.name).grade_for(dtype), "lse/any")


@pytest.mark.parametrize(
    ("dtype", "grade"), [("float16", "staged/any"), ("bfloat16", "staged/any"), ("float32", "shift/any"), ("float64", "shift/any")]
)
def test_only_torch_in_16_bits_declares_16_bit_intermediates(operation, dtype, grade):
    assert get("torch-eager", operation=operation.name).grade_for(dtype) == grade


@pytest.mark.parametrize("name", MODULES)
def test_every_option_is_in_the_signature(name, operation):
    implementation = get(name, operation=operation.name)
    wanted = {option.name for option in operation.options if not option.opt_in or name == "torch-eager"}
    wanted |= {argument.name for argument in operation.arguments}
    for function, more in (
        (implementation.forward, set()),
        (implementation.backward, {"grad_output"}),
        (implementation.value_and_grad, set()),
    ):
        if function is not None:
            assert set(inspect.signature(function).parameters) - OWN_OPTIONS.get(name, set()) == wanted | more


@pytest.mark.parametrize("module", MODULES.values())
def test_importing_loads_no_array_library_but_numpy(module):
    heavy = ("torch", "numba", "hypothesis", "jax")
    code = f"import sys, xentfuzz.impls.{module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("module", "package"), [("torch_eager", "torch"), ("numba_cpu", "numba"), ("numba_cuda", "numba-cuda")])
def test_a_missing_library_makes_it_unavailable_with_the_remedy(monkeypatch, module, package):
    unavailable = importlib.import_module(f"xentfuzz.impls.{module}").unavailable
    assert unavailable() is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert f"pip install {package}" in unavailable()


def test_numba_cuda_declares_the_simulator_where_there_is_no_gpu(operation):
    implementation = get("numba-cuda", operation=operation.name)
    assert implementation.device == "cuda"
    assert implementation.environment == ({"NUMBA_ENABLE_CUDASIM": "1"} if implementation.simulator else {})
