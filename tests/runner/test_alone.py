"""What earlier calls left behind is told as that, not as a wrong number of the case that happened to meet it."""

from __future__ import annotations

from pathlib import Path

import xentfuzz
from xentfuzz.gallery.catalogue import entry

REMEMBERS = '''
import numpy as np

calls = 0


def cross_entropy(logits, target, *, ignore_index=-100, reduction="mean"):
    """Every result from the 200th call on is wrong, whatever the case."""
    global calls
    calls += 1
    if logits.ndim != 2:
        raise NotImplementedError("matrices only")
    wide = logits.astype(np.float64)
    wide = wide - wide.max(axis=1, keepdims=True)
    kept = target != ignore_index
    losses = np.where(kept, np.log(np.exp(wide).sum(axis=1)) - wide[np.arange(len(wide)), np.where(kept, target, 0)], 0)
    losses = losses + (calls >= 200)
    result = {"none": losses, "sum": losses.sum(), "mean": losses.sum() / kept.sum()}[reduction]
    return np.asarray(result).astype(logits.dtype)
'''


def test_a_wrong_number_that_an_earlier_call_causes_is_a_finding_about_earlier_calls() -> None:
    report = xentfuzz.check(entry("R75").implementation, profile="quick", seed=1, checks=["value"], isolate=True)
    (failure,) = report.failures
    assert (failure.check, failure.kind) == ("no_memory_of_earlier_calls", "stale_state")
    assert failure.case["logits"].size <= 8
    assert "value" in failure.message


def test_a_case_that_passes_by_itself_says_so(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(REMEMBERS)
    report = xentfuzz.check(f"{tmp_path / 'kernel.py'}:cross_entropy", profile="quick", seed=0, checks=["value"], isolate=True)
    assert any("by itself, in a process of its own, the case passes" in failure.message for failure in report.failures)
