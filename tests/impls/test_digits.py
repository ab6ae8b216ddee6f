"""Logits of a real classifier, early and late in its training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(params=["early", "late"])
def digits(request):
    with np.load(DATA / f"digits_{request.param}.npz") as recorded:
        return dict(recorded)


def test_recordings_are_what_the_script_says(digits):
    assert {name: (array.dtype.name, array.shape) for name, array in digits.items()} == {
        "logits": ("float32", (64, 10)),
        "target": ("int64", (64,)),
        "weight": ("float32", (10,)),
    }


def test_training_shows():
    with np.load(DATA / "digits_early.npz") as early, np.load(DATA / "digits_late.npz") as late:
        right = [(recorded["logits"].argmax(axis=1) == recorded["target"]).sum() for recorded in (early, late)]
    assert right[0] < right[1] < 64


@pytest.mark.parametrize("options", [{}, {"reduction": "none"}, {"label_smoothing": 0.1, "reduction": "sum"}], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_and_gradient_are_right(ours, digits, options, weighted):
    rows = 8 if ours.implementation("cross_entropy").simulator else 64
    given = {name: digits[name][:rows] for name in ("logits", "target")}
    if weighted:
        given["weight"] = digits["weight"]
    upstream = np.linspace(-1, 1, rows, dtype=np.float32) if options.get("reduction") == "none" else np.float32(1)
    ours.assert_right(ours.case("cross_entropy", **given, grad_output=upstream, **options), "value", "grad_logits")
