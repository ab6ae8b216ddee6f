"""A form of input that a kernel doesn't know of and doesn't refuse is one finding, whatever its calls end in."""

from __future__ import annotations

from pathlib import Path

import xentfuzz
from xentfuzz.failures.failure import failure
from xentfuzz.runner.unknown_forms import unknown_form

# As many people write it: for matrices, with every row kept, and nothing refused.
PLAIN = """
import numpy as np


def cross_entropy(logits, target, reduction="mean"):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    wide = logits.astype(np.float64)
    shifted = wide - wide.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(target)), target]
    result = losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()
    return np.asarray(result).astype(logits.dtype)
"""
CHECKS = ("value", "shape", "special_value", "reductions_agree", "permuted_rows_keep_result", "spatial_axes_can_be_flattened")


def test_images_and_ignored_rows_that_a_kernel_does_not_know_are_one_finding_each(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(PLAIN)
    report = xentfuzz.check(f"{tmp_path / 'kernel.py'}:cross_entropy", profile="quick", seed=0, checks=CHECKS, isolate=True)
    told = {failure.headline for failure in report.failures}
    assert len(report.failures) == 2, told
    (images,) = (failure for failure in report.failures if "rank > 2" in failure.needs)
    assert images.headline.startswith("an input of more than two dimensions is neither computed nor refused")
    assert "supports={'ranks': (2,)}" in images.message
    (ignored,) = (failure for failure in report.failures if "an ignored row" in failure.needs)
    assert ignored.headline.startswith("a row whose target is ignore_index is neither computed nor refused")


SOFT_TARGETS = """
import torch

def cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    if logits.ndim != 2:
        raise NotImplementedError("matrices only")
    # Broadcasting takes indices for probabilities where there are as many rows as classes.
    return torch.sum(-target * torch.log_softmax(logits, dim=-1), dim=-1).mean()
"""


def test_indices_that_a_loss_of_probabilities_does_not_know_are_one_finding(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(SOFT_TARGETS)
    place, checks = f"{tmp_path / 'kernel.py'}:cross_entropy", (*CHECKS, "gradient")
    report = xentfuzz.check(place, profile="quick", seed=0, isolate=True, checks=checks)
    assert [failure.needs[0] for failure in report.failures] == ["class indices"], [failure.message for failure in report.failures]
    assert report.failures[0].headline.startswith("a target of class indices is neither computed nor refused")


def test_what_only_long_rows_show_of_indices_is_no_unknown_form() -> None:
    found = failure("raised", "it raised IndexError")
    found.alone, found.needs = True, ("class indices", "3 rows")
    assert unknown_form(found) == "class indices"
    found.needs = ("class indices", "at least 300 classes")
    assert unknown_form(found) is None
    found.needs = ("class probabilities", "at least 300 classes")
    assert unknown_form(found) == "class probabilities"
