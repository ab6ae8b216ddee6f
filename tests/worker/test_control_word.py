"""Flush-to-zero that an implementation sets stays with it: the harness computes with subnormal numbers."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator

import numpy as np
import pytest

import xentfuzz
from xentfuzz.arrays import StridedArray
from xentfuzz.subjects.in_process import FLUSHES, InProcess
from xentfuzz.subjects.outcome import Call
from xentfuzz.worker import control_word

FLUSH_BOTH = 0x8040  # of MXCSR
UPWARD = 0x4000

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64" or platform.system() != "Linux", reason="bits of x86-64's MXCSR")


def set_bits(bits: int) -> None:
    """Set bits of MXCSR, as a library linked with -ffast-math does when it is loaded."""
    state = bytearray(control_word.read() or b"")
    state[28:32] = (int.from_bytes(state[28:32], "little") | bits).to_bytes(4, "little")
    control_word.write(bytes(state))


def subnormals_live() -> bool:
    return bool(np.float64(2.0**-1060) * np.float64(1.0) > 0)


def loss(logits: np.ndarray, target: np.ndarray) -> np.ndarray:
    set_bits(FLUSH_BOTH)
    return logits[..., 0] * logits.dtype.type(1)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = control_word.read()
    yield
    control_word.write(before)


def call() -> Call:
    arrays = {"logits": StridedArray.of(np.full((2, 3), 2.0**-1060)), "target": StridedArray.of(np.zeros(2, np.int64))}
    return Call("forward", arrays, {"reduction": "mean", "ignore_index": -100, "label_smoothing": 0.0})


def test_the_bits_do_what_the_test_takes_them_for() -> None:
    assert subnormals_live()
    set_bits(FLUSH_BOTH)
    assert not subnormals_live()
    with control_word.plain_inside():
        assert subnormals_live()
    assert not subnormals_live()


def test_an_implementation_keeps_its_own_word_and_nobody_else_gets_it() -> None:
    subject = InProcess(xentfuzz.Implementation("mine", loss))
    for _ in range(2):
        # The first call sets it, the second finds it set.
        outcome = subject.call(call())
        assert outcome.results is not None
        assert not np.asarray(outcome.results["value"]).any()
        assert subnormals_live()
    assert subject.notices == {FLUSHES}


def test_what_was_set_before_the_run_is_the_implementations_too() -> None:
    set_bits(FLUSH_BOTH)
    with control_word.plain_inside():
        subject = InProcess(xentfuzz.Implementation("mine", lambda logits, target: np.float64(subnormals_live())))
        assert np.asarray((subject.call(call()).results or {})["value"]) == 0
        assert subnormals_live()


def test_rounding_is_no_part_of_flushing() -> None:
    before = control_word.control(control_word.read())
    set_bits(FLUSH_BOTH)
    flushing = control_word.control(control_word.read())
    set_bits(UPWARD)
    upward = control_word.control(control_word.read())
    assert before is not None
    assert flushing is not None
    assert upward is not None
    assert (before.flushes, flushing.flushes) == (False, True)
    assert before.rest == flushing.rest != upward.rest


def flushing_loss(logits, target, *, reduction="mean"):
    """Right, but for what flushing does to subnormal numbers."""
    set_bits(FLUSH_BOTH)
    if logits.ndim != 2 or target.ndim != 1 or target.dtype.kind != "i" or not logits.size:
        raise NotImplementedError("matrices and class indices")
    if target.shape != logits.shape[:1] or (target < 0).any() or (target >= logits.shape[1]).any():
        raise ValueError("labels")
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)
    wide = logits.astype(np.longdouble)
    largest = wide.max(axis=1)
    with np.errstate(all="ignore"):
        rows = largest - wide[np.arange(len(target)), target] + np.log(np.exp(wide - largest[:, np.newaxis]).sum(axis=1))
    loss = rows if reduction == "none" else rows.sum() if reduction == "sum" else rows.mean()
    with np.errstate(all="ignore"):
        return np.asarray(loss).astype(logits.dtype)


def test_a_run_in_process_judges_by_exact_results_that_do_not_flush() -> None:
    supports = {"targets": ("index",), "ranks": (2,), "options": {"reduction": None, "ignore_index": ()}}
    implementation = xentfuzz.Implementation("mine", flushing_loss, dtypes=("float64",), supports=supports)
    report = xentfuzz.check(implementation, profile="quick", seed=0, isolate=False, max_examples=15, checks=("value", "special_value"))
    assert report.ok, [failure.message for failure in report.failures] + [error.traceback for error in report.errors]
    assert FLUSHES in report.notes
    assert subnormals_live()


def upward(logits, target, *, reduction="mean"):
    set_bits(UPWARD)
    return np.asarray(0.0, logits.dtype)


def test_a_changed_rounding_mode_is_a_finding() -> None:
    supports = {"targets": ("index",), "ranks": (2,), "options": {"reduction": ("mean",), "ignore_index": ()}}
    implementation = xentfuzz.Implementation("mine", f"{__file__}:upward", dtypes=("float64",), supports=supports)
    report = xentfuzz.check(implementation, profile="quick", seed=0, isolate=True, max_examples=2, checks=("leaves_surroundings_alone",))
    assert [failure.kind for failure in report.failures] == ["global_state"]
    assert "rounding mode" in report.failures[0].message


def test_a_platform_without_known_words_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_word, "_functions", lambda: None)
    assert control_word.read() is None
    assert control_word.control(None) is None
    with control_word.plain_inside():
        assert subnormals_live()
    assert ctypes.sizeof(control_word._State) >= 32
