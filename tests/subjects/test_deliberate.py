"""Which exceptions can be a refusal, by library."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from xentfuzz.subjects.deliberate import is_deliberate
from xentfuzz.subjects.outcome import Outcome
from xentfuzz.worker.texts import raised_from


def outcome(error: BaseException) -> Outcome:
    return Outcome(raised=raised_from(error))


class XlaRuntimeError(RuntimeError):
    pass


@pytest.mark.parametrize(
    ("error", "array"),
    [
        (TypeError("float16"), "numpy"),
        (np.exceptions.AxisError(3, 2), "numpy"),
        (ctypes.ArgumentError("argument 1: wrong type"), "numpy"),
        (RuntimeError("expected a matrix"), "numpy"),
        (RuntimeError("\"log_softmax\" not implemented for 'Half'"), "torch"),
        (RuntimeError("weight tensor should be defined for all 5 classes"), "torch"),
        (RuntimeError("a loss of its own kind"), "torch"),
        (XlaRuntimeError("UNIMPLEMENTED: float16"), "jax"),
        (KeyError("float16"), "numpy"),
        (KeyError(np.dtype("float16")), "numpy"),
    ],
)
def test_what_can_be_meant_as_a_refusal(error: Exception, array: str) -> None:
    assert is_deliberate(outcome(error), array, ("float16",))


@pytest.mark.parametrize(
    ("error", "array"),
    [
        (RuntimeError("launch failed: invalid configuration argument"), "numpy"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "torch"),
        (RuntimeError("Triton Error [CUDA]: invalid argument"), "torch"),
        (RuntimeError("no words of it"), "numpy"),
        (RecursionError("maximum recursion depth exceeded"), "torch"),
        (XlaRuntimeError("INTERNAL: failed to launch"), "jax"),
        (KeyError("grid"), "numpy"),
        (KeyboardInterrupt(), "numpy"),
        (SystemError("error return without exception set"), "numpy"),
        (ZeroDivisionError("division by zero"), "numpy"),
        (AttributeError("'NoneType' object has no attribute 'shape'"), "numpy"),
        (OSError("no such file"), "numpy"),
    ],
)
def test_what_is_nobodys_intention(error: BaseException, array: str) -> None:
    assert not is_deliberate(outcome(error), array, ("float16",))


def test_not_implemented_is_always_meant() -> None:
    assert is_deliberate(Outcome(unsupported="no 16-bit floats"), "numpy")
