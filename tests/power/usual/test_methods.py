"""Every usual way compares what it says it compares, finds a gross bug, and lets a right implementation pass."""

from __future__ import annotations

import pytest

from xentfuzz.power.usual.examination import UsualTask, cases_of, examine
from xentfuzz.power.usual.methods import METHODS

# Name -> cases, of which some may be left out, and whether gradients are compared.
EXPECTED = {
    "torch samples": (168, True),
    "numpy.allclose": (13, True),
    "ONNX nodes": (34, False),
    "Liger-Kernel": (46, True),
    "quack": (108, True),
    "flash-attention": (12, True),
    "FlagGems": (81, True),
    "tritonbench": (6, False),
    "KernelBench": (15, False),
    "robust-kbench": (2, True),
}
# The largest share of a way's cases that a right implementation may fail: 16-bit results of torch's own.
LEFT_OUT = 0.05


@pytest.mark.parametrize("name", METHODS)
def test_every_way_runs_its_cases(name):
    cases = cases_of(name)
    total, gradients = EXPECTED[name]
    assert len(cases.kept) + len(cases.dropped) == total
    assert len(cases.dropped) <= LEFT_OUT * total
    assert any(case.gradient is not None for case in cases.kept) == gradients
    honest = examine(UsualTask(name, "log1p_of_the_others"))
    assert (honest.found, honest.compared) == ("", len(cases.kept))
    # The loss of R90 has a shape of its own.
    assert examine(UsualTask(name, "R90")).found


def test_suites_cover_what_they_are_known_to_cover():
    assert {case.dtype for case in cases_of("torch samples").kept} == {"float16", "bfloat16", "float32", "float64"}
    assert {case.layout for case in cases_of("torch samples").kept} == {"contiguous", "sliced_columns"}
    assert max(case.classes for case in cases_of("quack").kept) == 262144
    assert {case.options.get("label_smoothing") for case in cases_of("flash-attention").kept} == {0.0, 0.9}
    assert {case.has_probabilities for case in cases_of("FlagGems").kept} == {True, False}
    assert {len(case.logits.shape) for case in cases_of("ONNX nodes").kept} == {2, 3, 4, 5, 7}


def test_a_gradient_that_ignores_the_upstream_one_is_missed_by_upstream_ones_only():
    assert not examine(UsualTask("numpy.allclose", "R43")).found
    assert examine(UsualTask("torch samples", "R43")).found == "gradient differs"
