"""Device arrays, in Numba's simulator: a process of its own, for it replaces Numba's CUDA altogether."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.implementation import Implementation
from xentfuzz.recipes.layouts import lay_out
from xentfuzz.subjects.isolated import Isolated
from xentfuzz.subjects.outcome import Call

KERNELS = Path(__file__).parents[2] / "subjects" / "cuda_kernels.py"


@pytest.fixture(scope="module")
def simulated():
    """Opens a kernel in a worker with the simulator."""
    opened = {}

    def start(name):
        if name not in opened:
            environment = {"NUMBA_ENABLE_CUDASIM": "1"}
            opened[name] = Isolated(Implementation(name, f"{KERNELS}:{name}", array="cuda", environment=environment))
        return opened[name]

    yield start
    for subject in opened.values():
        subject.close()


def call(logits):
    return Call("forward", {"logits": logits, "target": StridedArray.of(np.array([0, 1]))}, {})


@pytest.mark.parametrize("layout", ["contiguous", "fortran", "sliced_rows", "negative_stride", "expanded"])
def test_layouts_reach_the_kernel(simulated, layout):
    logits = lay_out(np.arange(6, dtype=np.float32).reshape(2, 3), layout)
    outcome = simulated("doubled").call(call(logits))
    np.testing.assert_array_equal(outcome.results["value"], 2 * logits.view())
    assert outcome.changed == ()


def test_bfloat16_travels_as_its_bits(simulated):
    logits = np.full((2, 3), 1e-40).astype(ml_dtypes.bfloat16)
    value = simulated("doubled").call(call(StridedArray.of(logits))).results["value"]
    assert value.dtype == logits.dtype
    assert (value.view(np.uint16) == 2 * logits.view(np.uint16)).all()


def test_what_a_kernel_writes_to_its_argument_is_seen(simulated):
    outcome = simulated("overwritten").call(call(StridedArray.of(np.ones((2, 3), np.float32))))
    assert outcome.changed == ("logits",)
