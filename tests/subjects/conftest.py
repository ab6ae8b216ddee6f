"""Calls of cross_entropy on small arrays, and subjects that are closed at the end."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.implementation import Implementation
from xentfuzz.subjects.in_process import InProcess
from xentfuzz.subjects.isolated import Isolated
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.outcome import Call

DEFAULTS = {"reduction": "mean", "ignore_index": -100, "label_smoothing": 0.0}


@pytest.fixture
def make_call():
    def make(function="forward", *, logits=None, options=None, **arrays):
        values = {"logits": np.arange(6, dtype=np.float32).reshape(2, 3) if logits is None else logits, "target": np.array([0, 2])}
        held = {
            name: value if isinstance(value, StridedArray) else StridedArray.of(np.asarray(value))
            for name, value in (values | arrays).items()
        }
        return Call(function, held, {**DEFAULTS, **(options or {})})

    return make


@pytest.fixture
def harm(make_call):
    """The call that a harmful implementation answers with harm."""
    return make_call(logits=np.full((2, 3), 666, np.float32))


@pytest.fixture
def isolated():
    """Opens implementations in workers with low limits. call_seconds: low only where a hang is waited for."""
    opened = []

    def start(forward, *, call_seconds=60, **declaration):
        chosen = Limits(call_seconds, first_call_seconds=60, memory_bytes=200 << 20, output_bytes=1 << 18)
        opened.append(Isolated(Implementation("subject", forward, **declaration), chosen))
        return opened[-1]

    yield start
    for subject in opened:
        subject.close()


@pytest.fixture(params=["in_process", "isolated"])
def either(request, isolated):
    """Opens implementations in this process, then in a worker: both must do the same."""

    def start(forward, **declaration):
        if request.param == "isolated":
            return isolated(forward, **declaration)
        return InProcess(Implementation("subject", forward, **declaration))

    return start
