"""Whatever an implementation returns is named rightly: in every function, in process and in a worker, and no run ends of it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import xentfuzz
from xentfuzz.runner.check import run_checks
from xentfuzz.runner.profiles import get_profile
from xentfuzz.runner.settings import Settings

MODULE = Path(__file__).parent.parent / "subjects" / "odd_results.py"
_specification = importlib.util.spec_from_file_location("odd_results", MODULE)
assert _specification is not None
assert _specification.loader is not None
ODD: Any = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(ODD)

SUPPORTS = {"targets": ("index",), "ranks": (2,), "options": {"reduction": None, "ignore_index": ()}, "layouts": ("contiguous",)}
CHECKS = (
    "value",
    "gradient",
    "value_and_grad",
    "special_value",
    "dtype",
    "shape",
    "reductions_agree",
    "repeatable",
    "results_are_complete",
)


def declared(forward: str, **functions: str) -> xentfuzz.Implementation:
    named = {function: f"{MODULE}:{name}" for function, name in functions.items()}
    return xentfuzz.Implementation(forward, f"{MODULE}:{forward}", dtypes=("float32",), supports=SUPPORTS, **named)


def check(implementation: xentfuzz.Implementation, *, isolate: bool = False, checks: tuple[str, ...] = CHECKS) -> xentfuzz.CheckReport:
    settings = Settings("check", get_profile("quick"), 0, examples=3, isolate=isolate, checks=checks, shrink=False)
    (report,) = run_checks([implementation], settings)
    assert report.errors == [], [error.traceback for error in report.errors]
    return report


def places(name: str) -> dict[str, xentfuzz.Implementation]:
    """Where an implementation may return it."""
    return {
        "forward": declared(name),
        "backward": declared("same", backward=f"{name}_backward"),
        "value_and_grad": declared("same", backward="same_backward", value_and_grad=f"{name}_pair"),
        "softmax": xentfuzz.Implementation(name, f"{MODULE}:{name}_softmax", operation="softmax", dtypes=("float32",)),
    }


PLACES = ("forward", "backward", "value_and_grad", "softmax")


def one_place_each(names: Iterable[str]) -> list[tuple[str, str]]:
    """Every name in one place, in turn: all of them everywhere is for the slow tests."""
    return [(name, PLACES[number % len(PLACES)]) for number, name in enumerate(sorted(names))]


@pytest.mark.parametrize(("name", "place"), one_place_each(ODD.FINE))
def test_what_is_as_good_as_an_array_is_no_finding(name: str, place: str) -> None:
    assert check(places(name)[place]).ok


@pytest.mark.parametrize(("name", "place"), one_place_each(ODD.WRONG))
def test_what_is_no_array_of_the_contract_is_a_finding_of_its_kind(name: str, place: str) -> None:
    require_named(name, place)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ODD.WRONG))
def test_it_is_a_finding_wherever_it_comes(name: str) -> None:
    for place in PLACES:
        require_named(name, place)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ODD.FINE))
def test_it_is_fine_wherever_it_comes(name: str) -> None:
    for place in PLACES:
        assert check(places(name)[place]).ok, place


def require_named(name: str, place: str) -> None:
    _, kinds = ODD.WRONG[name]
    found = {failure.kind for failure in check(places(name)[place]).failures}
    assert found & kinds, found
    assert "raised" not in found


@pytest.mark.parametrize("name", ["none", "lazy", "huge_integer", "endless", "structured", "masked", "infinities", "pretends", "texts"])
def test_a_worker_tells_the_same(name: str) -> None:
    _, kinds = ODD.WRONG[name]
    report = check(declared(name, backward=f"{name}_backward"), isolate=True, checks=("value", "gradient", "dtype"))
    found = {failure.kind for failure in report.failures}
    assert found
    assert found <= kinds | {"dtype"}


def test_the_message_says_what_came() -> None:
    report = check(declared("text"), checks=("value",))
    assert "it returned a builtins.str; wanted a NumPy array" in report.failures[0].message


def test_a_loss_that_is_no_array_is_no_answer_to_invalid_input_either() -> None:
    report = check(declared("none_for_invalid"), checks=("value", "rejects_out_of_range_targets"))
    assert [failure.kind for failure in report.failures] == ["accepted_invalid"]
    assert "it returned a builtins.NoneType" in report.failures[0].message
