"""Many rows and classes, and large inputs: what is skipped, overwritten or not counted beyond so many rows, classes or elements is found.

The boundary of 2**31 elements, and that of 2**24 rows, are moved to where they cost nothing.
"""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.checks import enlarged, large, many
from xentfuzz.checks.registry import checks_for
from xentfuzz.gallery import catalogue
from xentfuzz.gallery.cross_entropy import CrossEntropy
from xentfuzz.implementation import Implementation
from xentfuzz.runner.check import check
from xentfuzz.runner.profiles import PROFILES

BOUNDARY, CLASSES = 1 << 14, 33


HONEST = CrossEntropy()


def forward(logits, target, *, ignore_index=-100, reduction="mean"):
    return HONEST.forward(logits, target, ignore_index=ignore_index, reduction=reduction)


def backward(grad_output, logits, target, *, ignore_index=-100, reduction="mean"):
    return HONEST.backward(grad_output, logits, target, ignore_index=ignore_index, reduction=reduction)


def offsets_wrap(logits, target, *, ignore_index=-100, reduction="mean"):
    """Rows that begin beyond the boundary are read from the start of the array again."""
    rows = np.arange(len(target))
    wrapped = np.where(rows * logits.shape[1] >= BOUNDARY, rows - BOUNDARY // logits.shape[1], rows)
    return forward(logits[wrapped], target, ignore_index=ignore_index, reduction=reduction)


def rows_beyond_are_skipped(grad_output, logits, target, *, ignore_index=-100, reduction="mean"):
    gradient = backward(grad_output, logits, target, ignore_index=ignore_index, reduction=reduction)
    gradient[BOUNDARY // logits.shape[1] + 1 :] = 0
    return gradient


def one_equal_row_differs(logits, target, *, ignore_index=-100, reduction="mean"):
    value = forward(logits, target, ignore_index=ignore_index, reduction=reduction)
    if value.size > 400:
        value[300] += 1
    return value


def last_bits_differ(logits, target, *, ignore_index=-100, reduction="mean"):
    """As the remainder of a vector loop may, for rows that are equal."""
    value = forward(logits, target, ignore_index=ignore_index, reduction=reduction)
    other = (np.arange(value.size) % 8 == 7).reshape(value.shape) & (value != 0)
    return np.where(other, np.nextafter(value, value.dtype.type(np.inf)), value)


def classes_of_sixteen_bits(logits, target, *, ignore_index=-100, reduction="mean"):
    return forward(logits[:, :65_536], np.minimum(target, 65_535), ignore_index=ignore_index, reduction=reduction)


def stops_counting(at):
    """A mean that divides by a count which stops growing at `at` rows."""

    def forward_(logits, target, *, ignore_index=-100, reduction="mean"):
        value = forward(logits, target, ignore_index=ignore_index, reduction=reduction)
        kept = (target != ignore_index).sum()
        return np.asarray(value * (max(kept, 1) / max(min(at, kept), 1)), logits.dtype) if reduction == "mean" else value

    return forward_


@pytest.fixture
def countable(monkeypatch):
    monkeypatch.setattr(many, "UNCOUNTABLE_ROWS", 5 << 10)
    monkeypatch.setattr(many, "STEP", 64)


@pytest.fixture
def near_boundary(monkeypatch):
    monkeypatch.setattr(large, "BOUNDARY", BOUNDARY)
    monkeypatch.setattr(large, "CLASSES_OF_MANY_ELEMENTS", CLASSES)


def implementation(forward, backward=backward, dtypes=("float32", "float64")):
    supports = {"targets": ("index",), "ranks": (2,), "options": {"reduction": None, "ignore_index": None}}
    return Implementation("tried", forward, backward=backward, dtypes=dtypes, supports=supports)


def tried(forward, backward=backward):
    """The report, and the result of the narrowest dtype."""
    names = ["large_input", "large_input_gradient"]
    report = check(implementation(forward, backward), profile="thorough", max_examples=1, seed=0, isolate=False, checks=names)
    return report, {result.check: result for result in report.checks if result.dtype == "float32"}


def test_an_honest_implementation_passes(near_boundary):
    report, results = tried(forward)
    assert not report.failures
    assert report.ok
    assert [(result.status, result.cases) for result in results.values()] == [("passed", 1)] * 2
    stated = {(each.status, each.reason, each.unsupported) for each in report.checks if each.dtype == "float64"}
    assert stated == {("unsupported", "tried in float32 only", 0)}


def test_equal_rows_may_differ_in_their_last_bits(near_boundary):
    report, results = tried(last_bits_differ)
    assert not report.failures
    assert {result.status for result in results.values()} == {"passed"}


@pytest.mark.parametrize(
    ("faulty", "kind", "row"),
    [
        ((offsets_wrap, backward), "value", BOUNDARY // CLASSES + 1),
        ((forward, rows_beyond_are_skipped), "gradient", BOUNDARY // CLASSES + 1),
        ((one_equal_row_differs, backward), "value", 300),
    ],
)
def test_what_goes_wrong_beyond_the_boundary_is_found(near_boundary, faulty, kind, row):
    report, results = tried(*faulty)
    assert results["large_input_gradient" if kind == "gradient" else "large_input"].status == "failed"
    (found,) = report.failures
    assert found.kind == kind
    assert found.details["index"][0] >= row
    assert f"{BOUNDARY // CLASSES + 3} rows of {CLASSES} classes" in found.headline


def test_a_lack_of_memory_is_said_in_figures(near_boundary, monkeypatch):
    monkeypatch.setattr(large, "BOUNDARY", 1 << 34)
    monkeypatch.setattr(enlarged, "free_memory", lambda: 11 * enlarged.GIB)
    report, results = tried(forward)
    assert not report.failures
    assert {result.status for result in results.values()} == {"unsupported"}
    reasons = [reason for reason in report.unsupported if "GiB" in reason]
    assert {reason.rpartition("classes ")[2] for reason in reasons} == {
        "need 192 GiB of memory, 11 GiB are free",
        "need 320 GiB of memory, 11 GiB are free",
    }


def counted(forward, name, **more):
    return check(implementation(forward, dtypes=("float16",)), seed=0, isolate=False, checks=[name], **more)


@pytest.mark.parametrize(("at", "status"), [(1 << 11, "failed"), (1 << 16, "failed"), (1 << 20, "passed")])
def test_a_count_in_sixteen_bits_is_found_by_profile_quick(at, status):
    report = counted(stops_counting(at), "mean_counts_every_row", profile="quick")
    assert all("rows of 2 classes: " in failure.headline for failure in report.failures)
    assert {result.status for result in report.checks if result.dtype == "float16"} == {status}


@pytest.mark.parametrize("seed", range(2))
def test_a_count_in_the_dtype_of_the_logits_is_found_by_profile_quick(seed):
    report = check(catalogue.entry("R64").implementation, profile="quick", seed=seed, isolate=False, checks=["mean_counts_every_row"])
    assert "float16" in {result.dtype for result in report.checks if result.status == "failed"}


@pytest.mark.parametrize(("at", "status"), [(1 << 12, "failed"), (1 << 20, "passed")])
def test_a_count_that_stops_growing_is_found_although_sums_of_so_many_rows_may_be_inexact(countable, at, status):
    report = counted(stops_counting(at), "mean_counts_beyond_float32", profile="thorough")
    assert {result.status for result in report.checks if result.dtype == "float16"} == {status}


def test_of_one_class_nothing_can_be_said(countable):
    supports = {"targets": ("index",), "ranks": (2,), "largest_class_count": 1, "options": {"reduction": None}}
    one = Implementation("tried", forward, dtypes=("float32",), supports=supports)
    report = check(one, profile="thorough", seed=0, isolate=False, checks=["mean_counts_beyond_float32"])
    assert "takes no 2 classes" in report.unsupported


@pytest.mark.parametrize("seed", range(3))
def test_rows_beyond_the_grid_are_found_by_profile_default(seed):
    faulty = catalogue.entry("D48").implementation
    report = check(faulty, profile="default", seed=seed, isolate=False, checks=["many_rows"])
    assert {result.status for result in report.checks} == {"failed"}


def test_classes_beyond_sixteen_bits_are_found():
    found = check(implementation(classes_of_sixteen_bits), profile="default", seed=0, isolate=False, checks=["many_classes"])
    assert {result.status for result in found.checks} >= {"failed"}
    honest = check(implementation(forward), profile="default", seed=0, isolate=False, checks=["many_rows", "many_classes"])
    assert not honest.failures
    assert {result.status for result in honest.checks if result.dtype == "float32"} == {"passed"}


HUGE = ("large_input", "large_input_gradient", "mean_counts_beyond_float32")


def test_quick_counts_rows_only_and_default_tries_the_largest_only_off_the_cpu():
    named = {check.name: check for check in checks_for("cross_entropy")}
    names = ("mean_counts_every_row", "many_rows", "many_classes", *HUGE)
    cases = {profile.name: {name: profile.most[named[name].cost_on("cpu")] for name in names} for profile in PROFILES.values()}
    assert {name: count for name, count in cases["quick"].items() if count} == {"mean_counts_every_row": 1}
    assert {cases["default"][name] for name in HUGE} == {0}
    assert min(cases["thorough"].values()) > 0
    assert PROFILES["default"].most[named["large_input"].cost_on("cuda")] > 0
    assert PROFILES["quick"].most[named["large_input"].cost_on("cuda")] == 0
