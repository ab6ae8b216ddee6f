"""What a finding owes to calls before it is told as that; nothing is made up about the case at which it showed."""

from __future__ import annotations

from pathlib import Path

import pytest

import xentfuzz
from xentfuzz.failures import record
from xentfuzz.failures.replay import Outcome, replay
from xentfuzz.runner.check import run_recipe
from xentfuzz.runner.results import CheckReport

KERNELS = '''
import numpy as np

calls = 0


def cross_entropy(logits, target, *, ignore_index=-100, reduction="mean"):
    if logits.ndim != 2:
        raise NotImplementedError("matrices only")
    wide = logits.astype(np.float64)
    with np.errstate(all="ignore"):
        wide = wide - wide.max(axis=1, keepdims=True)
        kept = target != ignore_index
        losses = np.where(kept, np.log(np.exp(wide).sum(axis=1)) - wide[np.arange(len(wide)), np.where(kept, target, 0)], 0)
        result = {"none": losses, "sum": losses.sum(), "mean": losses.sum() / kept.sum()}[reduction]
        return np.asarray(result).astype(logits.dtype)


def prints_now_and_then(logits, target, *, ignore_index=-100, reduction="mean"):
    """On every 53rd call, whatever the case."""
    global calls
    calls += 1
    if calls % 53 == 0:
        print("call", calls)
    return cross_entropy(logits, target, ignore_index=ignore_index, reduction=reduction)


def silent_after_overflow(logits, target, *, ignore_index=-100, reduction="mean"):
    """Leaves NumPy's error state changed where a number is infinite."""
    if np.isneginf(logits).any():
        np.seterr(all="ignore")
    return cross_entropy(logits, target, ignore_index=ignore_index, reduction=reduction)


def silent_after_a_great_number(logits, target, *, ignore_index=-100, reduction="mean"):
    """The same where a number is greater than those of ordinary cases."""
    if (logits.astype(np.float64) > 3e38).any():
        np.seterr(all="ignore")
    return cross_entropy(logits, target, ignore_index=ignore_index, reduction=reduction)
'''
SURROUNDINGS = "leaves_surroundings_alone"


@pytest.fixture
def place(tmp_path: Path) -> str:
    (tmp_path / "kernel.py").write_text(KERNELS)
    return f"{tmp_path / 'kernel.py'}"


def _checked(target: str, *checks: str) -> CheckReport:
    return xentfuzz.check(target, profile="quick", seed=0, checks=checks, isolate=True)


def test_a_finding_at_every_53rd_call_needs_nothing_of_its_case(place: str, tmp_path: Path) -> None:
    (failure,) = _checked(f"{place}:prints_now_and_then", SURROUNDINGS).failures
    assert "prints to standard output" in failure.headline
    assert "only after other calls" in failure.message
    assert "by itself, in a process of its own, the case passes" in failure.message
    assert (failure.alone, failure.needs) == (False, ())
    (tmp_path / "record.json").write_bytes(record.encode(failure))
    implementation = xentfuzz.Implementation("prints", f"{place}:prints_now_and_then")
    replayed = replay(str(tmp_path / "record.json"), lambda *given: run_recipe(*given, isolate=True), implementation)
    assert replayed.outcome == Outcome.CANNOT_RUN
    assert "only after other calls" in replayed.message


def test_a_state_that_special_values_change_is_seen_at_a_call_that_has_them(place: str) -> None:
    (failure,) = _checked(f"{place}:silent_after_overflow", SURROUNDINGS, "special_value").failures
    assert failure.headline.startswith("forward changes NumPy's error state")
    assert "-inf" in failure.headline
    assert failure.alone
    script = failure.script()
    assert "-inf" in script


def test_a_state_that_another_checks_call_changed_is_not_this_calls_doing(place: str) -> None:
    (failure,) = _checked(f"{place}:silent_after_a_great_number", SURROUNDINGS, "special_value").failures
    assert "since the worker was loaded, an earlier call has changed NumPy's error state" in failure.headline
    assert (failure.alone, failure.needs) == (False, ())


def test_what_was_not_called_for_want_of_time_did_not_pass_alone(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xentfuzz.runner.alone.examine", lambda *_: None)
    report = _checked(f"{place}:prints_now_and_then", SURROUNDINGS)
    (failure,) = report.failures
    assert failure.alone
    assert "only after other calls" not in failure.message
