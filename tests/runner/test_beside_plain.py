"""How errors lie beside those of a plain evaluation: an exponential that a bound lets pass is told, an honest one is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xentfuzz
from xentfuzz.gallery.catalogue import honest
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy
from xentfuzz.implementation import Implementation
from xentfuzz.runner.beside_plain import BesidePlain, Pair, Quantiles, Regime
from xentfuzz.runner.results import CheckReport

CHECKS = ("value", "gradient")


class Inexact(CrossEntropy):
    """exp(x) is too large by a factor, but for exp(0) = 1."""

    def __init__(self, error: float) -> None:
        self.error = error

    def exp(self, x: Array) -> Array:
        exact = np.exp(x.astype(np.longdouble))
        return np.where(x == 0, 1, exact * (1 + np.longdouble(self.error))).astype(x.dtype)


def report_of(kernel: CrossEntropy, dtype: str, **how: Any) -> CheckReport:
    implementation = Implementation("kernel", kernel.forward, backward=kernel.backward, dtypes=(dtype,), supports={})
    return xentfuzz.check(implementation, **{"profile": "quick", "seed": 0, "isolate": False, "checks": CHECKS, **how})


def told(report: CheckReport) -> list[str]:
    return [note for note in report.notes if "a plain evaluation" in note]


def test_an_exponential_off_by_a_millionth_is_told_and_not_failed() -> None:
    report = report_of(Inexact(1e-6), "float32")
    assert report.ok
    (note,) = told(report)
    assert note.startswith("errors in float32 are within the bound, but ")
    assert note.endswith(("an exponential good to 20 bits", "an exponential good to 19 bits"))


def test_a_plain_kernel_is_as_good_as_the_plain_evaluation() -> None:
    report = report_of(CrossEntropy(), "float32")
    assert told(report) == []
    (line,) = report.card.errors
    assert line.startswith("float32: ")
    row = next(row for row in report.beside_plain if row["regime"] == "ordinary" and row["output"] == "value")
    shares = row["share_of_allowed"]
    assert shares["cases"] > 0
    assert 0 <= shares["median"] <= shares["high"] <= 1
    assert shares["plain_high"] <= 1


def test_a_kernel_that_fails_needs_no_note() -> None:
    report = report_of(Inexact(1e-4), "float32")
    assert not report.ok
    assert told(report) == []


@pytest.mark.parametrize("name", ["sequential_sums_lse", "powers_of_two", "softmax_of_surprisals", "flush_to_zero"])
def test_honest_kernels_are_not_told(name: str) -> None:
    report = xentfuzz.check(honest()[name].implementation, profile="quick", seed=1, isolate=False, checks=CHECKS)
    assert report.ok
    assert told(report) == []


def test_quantiles_are_of_both() -> None:
    assert Quantiles.of([Pair(float(n), 2.0 * n) for n in range(101)]) == (101, 50, 95, 100, 190)
    assert Quantiles.of([]).cases == 0


def test_few_cases_tell_nothing() -> None:
    measured = BesidePlain({("float32", "value", "ordinary"): Regime(roundings=[Pair(20.0, 1.0)] * 7)})
    assert measured.notes() == []
    measured.regimes["float32", "value", "late"] = Regime(roundings=[Pair(20.0, 1.0)])
    assert len(measured.notes()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "errors"), [("float32", (2e-7, 5e-7, 1e-6, 3e-6)), ("float64", (4e-16, 1e-15, 2e-15, 6e-15, 1e-12))])
def test_how_often_an_exponential_is_told(dtype: str, errors: tuple[float, ...]) -> None:
    for profile, seeds in (("quick", range(6)), ("default", range(2))):
        for error in errors:
            reports = [report_of(Inexact(error), dtype, seed=seed, profile=profile) for seed in seeds]
            failed, noted = sum(not report.ok for report in reports), sum(bool(told(report)) for report in reports)
            print(f"\n{dtype}, {profile}: exp off by {error:g}: {failed} failed, {noted} told, of {len(reports)}", end="")
            assert failed + noted == len(reports) or error < 25 * np.finfo(dtype).eps / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", honest())
def test_no_honest_kernel_is_told(name: str) -> None:
    for seed in range(3):
        report = xentfuzz.check(honest()[name].implementation, profile="quick", seed=seed, isolate=False, checks=CHECKS)
        assert told(report) == []
