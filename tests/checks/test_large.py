"""Large inputs: what is skipped or overwritten beyond 65,535 rows or classes, or beyond a boundary in elements, is found.

The boundary of 2**31 elements is moved to where it costs nothing.
"""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.checks import large
from xentfuzz.checks.registry import checks_for
from xentfuzz.gallery import catalogue
from xentfuzz.implementation import Implementation
from xentfuzz.runner.check import check
from xentfuzz.runner.profiles import PROFILES

BOUNDARY, CLASSES = 1 << 14, 33


def log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def forward(logits, target, *, reduction="mean"):
    losses = -log_softmax(logits)[np.arange(len(target)), target]
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction].astype(logits.dtype)


def backward(grad_output, logits, target, *, reduction="mean"):
    gradient = np.exp(log_softmax(logits))
    gradient[np.arange(len(target)), target] -= 1
    upstream = np.broadcast_to(grad_output, target.shape)[:, np.newaxis] / (len(target) if reduction == "mean" else 1)
    return (gradient * upstream).astype(logits.dtype)


def offsets_wrap(logits, target, *, reduction="mean"):
    """Rows that begin beyond the boundary are read from the start of the array again."""
    beyond = np.arange(len(target)) * logits.shape[1] >= BOUNDARY
    read = np.where(beyond, np.arange(len(target)) - BOUNDARY // logits.shape[1], np.arange(len(target)))
    return forward(logits[read], target, reduction=reduction)


def rows_beyond_are_skipped(grad_output, logits, target, *, reduction="mean"):
    gradient = backward(grad_output, logits, target, reduction=reduction)
    gradient[BOUNDARY // logits.shape[1] + 1 :] = 0
    return gradient


def one_equal_row_differs(logits, target, *, reduction="mean"):
    value = forward(logits, target, reduction=reduction)
    if value.ndim and len(value) > 400:
        value[300] += 1
    return value


def last_bits_differ(logits, target, *, reduction="mean"):
    """As the remainder of a vector loop may, for rows that are equal."""
    value = forward(logits, target, reduction=reduction)
    return np.where(np.arange(value.size) % 8 == 7, np.nextafter(value, np.float32(np.inf)), value).reshape(value.shape)


@pytest.fixture
def near_boundary(monkeypatch):
    monkeypatch.setattr(large, "BOUNDARY", BOUNDARY)
    monkeypatch.setattr(large, "CLASSES_OF_MANY_ELEMENTS", CLASSES)


def implementation(forward, backward=backward):
    supports = {"targets": ("index",), "ranks": (2,), "options": {"reduction": None}}
    return Implementation("tried", forward, backward=backward, dtypes=("float32", "float64"), supports=supports)


def tried(forward, backward=backward):
    """The report, and the result of the narrowest dtype."""
    report = check(implementation(forward, backward), profile="thorough", max_examples=1, seed=0, isolate=False, checks=["large_input"])
    return report, next(result for result in report.checks if result.dtype == "float32")


def test_an_honest_implementation_passes(near_boundary):
    report, result = tried(forward)
    assert not report.failures
    assert (result.status, result.cases) == ("passed", 1)
    assert {each.status for each in report.checks if each.dtype == "float64"} == {"unsupported"}


def test_equal_rows_may_differ_in_their_last_bits(near_boundary):
    report, result = tried(last_bits_differ)
    assert not report.failures
    assert result.status == "passed"


@pytest.mark.parametrize(
    ("faulty", "kind", "row"),
    [
        ((offsets_wrap, backward), "value", BOUNDARY // CLASSES + 1),
        ((forward, rows_beyond_are_skipped), "gradient", BOUNDARY // CLASSES + 1),
        ((one_equal_row_differs, backward), "value", 300),
    ],
)
def test_what_goes_wrong_beyond_the_boundary_is_found(near_boundary, faulty, kind, row):
    report, result = tried(*faulty)
    assert result.status == "failed"
    (found,) = report.failures
    assert found.kind == kind
    assert found.details["index"][0] >= row
    assert f"{BOUNDARY // CLASSES + 3} rows of {CLASSES} classes" in found.headline


def test_a_lack_of_memory_is_said_in_figures(near_boundary, monkeypatch):
    monkeypatch.setattr(large, "BOUNDARY", 1 << 34)
    monkeypatch.setattr(large, "free_memory", lambda: 11 * large.GIB)
    report, result = tried(forward)
    assert not report.failures
    assert result.status == "unsupported"
    (reason,) = [reason for reason in report.unsupported if "GiB" in reason]
    assert reason.endswith("classes need 256 GiB of memory, 11 GiB are free")


@pytest.mark.parametrize("seed", range(3))
def test_rows_beyond_the_grid_are_found_by_profile_default(seed):
    faulty = catalogue.entry("D48").implementation
    report = check(faulty, profile="default", seed=seed, isolate=False, checks=["many_rows"])
    assert {result.status for result in report.checks} == {"failed"}


def classes_of_sixteen_bits(logits, target, *, reduction="mean"):
    return forward(logits[:, :65_536], np.minimum(target, 65_535), reduction=reduction)


def test_classes_beyond_sixteen_bits_are_found():
    found = check(implementation(classes_of_sixteen_bits), profile="default", seed=0, isolate=False, checks=["many_classes"])
    assert {result.status for result in found.checks} >= {"failed"}
    honest = check(implementation(forward), profile="default", seed=0, isolate=False, checks=["many_rows", "many_classes"])
    assert not honest.failures
    assert {result.status for result in honest.checks if result.dtype == "float32"} == {"passed"}


def test_quick_tries_none_of_them_and_default_the_largest_only_off_the_cpu():
    named = {check.name: check for check in checks_for("cross_entropy")}
    cases = {
        profile.name: {name: profile.most[named[name].cost_on("cpu")] for name in ("many_rows", "many_classes", "large_input")}
        for profile in PROFILES.values()
    }
    assert set(cases["quick"].values()) == {0}
    assert cases["default"]["large_input"] == 0
    assert min(cases["thorough"].values()) > 0
    assert PROFILES["default"].most[named["large_input"].cost_on("cuda")] > 0
    assert PROFILES["quick"].most[named["large_input"].cost_on("cuda")] == 0
