"""A kernel that returns a loss for each row and takes no `reduction`: checked as that where it is declared, else told how to declare it."""

from __future__ import annotations

import numpy as np

import xentfuzz

SUPPORTS = {"targets": ("index",), "ranks": (2,), "options": {"reduction": ("none",), "ignore_index": None}}


def losses(logits, target, *, ignore_index=-100):
    wide = logits.astype(np.float64)
    wide = wide - wide.max(axis=1, keepdims=True)
    kept = target != ignore_index
    picked = wide[np.arange(len(wide)), np.where(kept, target, 0)]
    return np.where(kept, np.log(np.exp(wide).sum(axis=1)) - picked, 0).astype(logits.dtype)


def wrong_losses(logits, target, *, ignore_index=-100):
    return losses(logits, target, ignore_index=ignore_index) + (target == 1).astype(logits.dtype)


def checked(forward, supports):
    implementation = xentfuzz.Implementation("losses", forward, dtypes=("float32",), supports=supports)
    return xentfuzz.check(implementation, profile="quick", seed=0, isolate=False, checks=["value", "shape"])


def test_a_declared_reduction_that_is_no_parameter_is_in_force():
    report = checked(losses, SUPPORTS)
    assert report.ok
    assert min(result.cases for result in report.checks if result.dtype == "float32") >= 30


def test_what_is_wrong_then_is_found_and_its_script_passes_no_reduction():
    (failure,) = checked(wrong_losses, SUPPORTS).failures
    assert failure.case["reduction"] == "none"
    assert "reduction=" not in failure.script()


def test_what_says_nothing_of_it_is_told_how_to():
    report = checked(losses, {**SUPPORTS, "options": {"ignore_index": None}})
    assert any('declare supports={"options": {"reduction": ("none",)}}' in failure.message for failure in report.failures)
