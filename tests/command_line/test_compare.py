"""`compare`: two versions of a kernel through all that is compared, on inputs of no size."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from xentfuzz.benchmark import roof
from xentfuzz.benchmark.bandwidth import Bandwidth
from xentfuzz.runner.profiles import PROFILES

TINY = ("--shape", "4x5", "--seed", "1", "--budget", "2")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few cases, and a machine that need not be measured."""
    monkeypatch.setitem(PROFILES, "quick", replace(PROFILES["quick"], cases={"ordinary": 10, "special": 3, "robust": 2}, identities=2))
    monkeypatch.setattr(roof, "measure_bandwidth", lambda threads, size: Bandwidth(1e12, 2e12, threads))
    monkeypatch.setattr(roof, "measure_exponentials", lambda dtype, threads: 1e12)


def test_what_became_worse_ends_with_status_1_and_has_a_line(xentfuzz, folder):
    ran = xentfuzz("compare", "kernels.py:loss", "kernels.py:wrong", *TINY, "--json", "compared.json")
    assert ran.status == 1, ran.err
    assert "\nWORSE: new finding: value (value), " in f"\n{ran.out}"
    assert "\nWORSE: wrong when it was timed: loss, float32, 4 x 5" in f"\n{ran.out}"
    assert "\nWORSE: less accurate: forward, float64" in f"\n{ran.out}"
    record = json.loads((folder / "compared.json").read_text())
    assert record["kind"] == "compare"
    assert record["new"] == {"given": "kernels.py:wrong", "python": None}
    assert record["findings"]["gone"] == []
    assert record["grown"]
    assert record["interrupted"] is False


def test_what_became_better_ends_with_status_0_in_another_interpreter_too(xentfuzz):
    ran = xentfuzz("compare", "kernels.py:wrong", "kernels.py:loss", *TINY, "--python-new", sys.executable)
    assert ran.status == 0, ran.out + ran.err
    assert "NOTHING BECAME WORSE" in ran.out.splitlines()
    assert "  gone: value (value), " in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("kernels.py:loss", "kernels.py:missing"), "has no attribute 'missing'"),
        (("kernels.py:loss", "kernels.py:loss", "--python-old", "no/such/python"), "can't start no/such/python"),
        (("kernels.py:loss", "kernels.py:loss", "--threads", "9999"), "this process may use"),
        (("kernels.py:loss", "kernels.py:loss", "--profile", "quik"), "unknown profile 'quik'"),
    ],
)
def test_wrong_usage_is_said_in_one_line(xentfuzz, arguments, words):
    ran = xentfuzz("compare", *arguments)
    assert ran.status == 2
    assert words in ran.err
    assert len(ran.err.splitlines()) == 1
