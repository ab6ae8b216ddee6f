"""What is declared has to be compared: a case that is passed over in silence must not look green."""

from __future__ import annotations

from typing import Any

import pytest

import xentfuzz

SUPPORTS = {"targets": ("index", "probabilities")}


@pytest.mark.parametrize("refused", ["probabilities", "weight", None])
def test_a_declared_kind_that_was_never_compared_is_a_problem(refused: str | None) -> None:
    numpy = xentfuzz.get("numpy").forward
    assert callable(numpy)

    def loss(logits: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
        if (refused == "probabilities" and target.shape == logits.shape) or (refused == "weight" and weight is not None):
            raise NotImplementedError(refused)
        return numpy(logits, target, weight=weight, reduction=reduction)

    implementation = xentfuzz.Implementation("mine", loss, dtypes=("float32",), supports=SUPPORTS)
    report = xentfuzz.check(implementation, profile="quick", seed=0)
    kinds = {"probabilities": ["probabilities targets"], "weight": ["weight"], None: []}[refused]
    assert report.problems == [f"declared, but nothing with it was compared: {kind}" for kind in kinds]
    assert report.ok is (refused is None)


def test_the_kinds_of_sizes_that_were_compared_are_counted() -> None:
    two_classes = {"ranks": (2,), "targets": ("index",), "largest_class_count": 2}
    implementation = xentfuzz.Implementation("mine", xentfuzz.get("numpy").forward, dtypes=("float32",), supports=two_classes)
    report = xentfuzz.check(implementation, profile="quick", seed=0, checks=["value"], isolate=False)
    assert report.sizes == {"met": 8, "cells": 8}
    assert report.to_dict()["sizes"] == report.sizes


def test_part_of_a_profile_says_nothing_about_what_is_declared() -> None:
    report = xentfuzz.check(xentfuzz.get("numpy"), profile="quick", seed=0, checks=["shape"], max_examples=1)
    assert report.ok


def test_what_is_known_about_torch_is_expected_here_too() -> None:
    report = xentfuzz.check(xentfuzz.get("torch-eager", "nll_loss"), profile="quick", seed=0, checks=["gradient"], isolate=True)
    assert report.ok
    assert report.expected
