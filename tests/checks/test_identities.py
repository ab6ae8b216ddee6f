"""An identity that is broken is told in numbers, or as what is no number."""

from __future__ import annotations

import numpy as np
import pytest

import xentfuzz


def losses(logits, target, ignore_index):
    wide = logits.astype(np.float64)
    wide = wide - wide.max(axis=1, keepdims=True)
    kept = target != ignore_index
    picked = wide[np.arange(len(wide)), np.where(kept, target, 0)]
    return np.where(kept, np.log(np.exp(wide).sum(axis=1)) - picked, 0), kept.sum()


def infinite(logits, target, *, ignore_index=-100, reduction="mean"):
    shape = target.shape if reduction == "none" else ()
    return np.full(shape, np.inf, logits.dtype)


def drifting(logits, target, *, ignore_index=-100, reduction="mean"):
    """Its mean grows with the batch."""
    each, count = losses(logits, target, ignore_index)
    result = {"none": each, "sum": each.sum(), "mean": each.sum() / max(count, 1) * (1 + len(target) / 8)}[reduction]
    return np.asarray(result).astype(logits.dtype)


@pytest.mark.parametrize(("kernel", "words"), [(infinite, " are not both numbers"), (drifting, " differ by ")])
def test_the_message_says_how_results_disagree(kernel, words):
    kernel = xentfuzz.Implementation("mine", kernel, dtypes=("float32",), supports={"ranks": (2,), "targets": ("index",)})
    report = xentfuzz.check(kernel, profile="quick", seed=0, checks=["duplicated_batch_keeps_mean"], isolate=False)
    assert any(words in failure.message for failure in report.failures)


def near_one_hot(logits, target, *, label_smoothing=0.0, ignore_index=-100, reduction="mean"):
    """Takes probabilities near 1 for indices."""
    wide = logits.astype(np.float64)
    wide = wide - wide.max(axis=1, keepdims=True)
    wide = wide - np.log(np.exp(wide).sum(axis=1, keepdims=True))
    if target.ndim == 1:
        kept = target != ignore_index
        probabilities = np.eye(wide.shape[1])[np.where(kept, target, 0)] * kept[:, None]
    else:
        kept = np.ones(len(target), np.bool_)
        probabilities = np.where(target > 0.6, 1.0, target.astype(np.float64))
    smoothed = (1 - label_smoothing) * probabilities + label_smoothing / max(wide.shape[1], 1) * kept[:, None]
    each = -(smoothed * wide).sum(axis=1)
    result = {"none": each, "sum": each.sum(), "mean": each.sum() / max(kept.sum(), 1)}[reduction]
    return np.asarray(result).astype(logits.dtype)


def test_the_message_shows_the_derived_call_for_the_fault_may_lie_there():
    kernel = xentfuzz.Implementation("mine", near_one_hot, dtypes=("float32",), supports={"ranks": (2,)})
    report = xentfuzz.check(kernel, profile="quick", seed=0, checks=["smoothing_is_explicit_target"], isolate=False)
    (failure,) = report.failures
    headline, derived, *_ = failure.message.splitlines()
    assert headline.startswith("smoothing_is_explicit_target: ")
    assert derived.startswith("derived call: target = [[")
    assert "label_smoothing=0.0" in derived
    assert len(derived) <= 76
