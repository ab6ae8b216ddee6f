"""The CUDA kernels compiled for GPUs that are not there: registers, memory, and the instructions that their speed rests on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xentfuzz.impls.numba_cuda.compiler import HOLDING_ROWS, KERNELS, READING_VECTORS
from xentfuzz.impls.numba_cuda.simulation import SIMULATOR_VARIABLE

SAMPLE = ("loss-bfloat16", "nll_loss_backward-float16")
REGISTERS = 65536  # of a multiprocessor
MOST_REGISTERS = 255  # of a thread
# Few elements a row are left to the reduction, or the rows lie apart: nothing to load in vectors, or to take an exponential of.
NO_EXPONENTIALS = {"total", "denominator", "nll_loss", "nll_loss_backward"}


def compilers_missing():
    try:
        from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib
    except ImportError:
        return True
    try:
        for library in ("nvrtc", "nvvm"):
            load_nvidia_dynamic_lib(library)
    except DynamicLibNotFoundError:
        return True
    return False


def compiled(capability, *names):
    script = Path(__file__).parent / "compile_for_gpu.py"
    environment = {name: value for name, value in os.environ.items() if name != SIMULATOR_VARIABLE}
    done = subprocess.run([sys.executable, script, *capability, *names], check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_sound(of):
    name = f"{of['kernel']}-{of['format']}"
    assert of["atomics"] == 0, name
    assert of["local memory"] == 0, name
    if of["format"] != "float64":
        assert of["arithmetic of 64 bits"] == 0, name
        assert (of["exponentials"] > 0) == (of["kernel"] not in NO_EXPONENTIALS), name
    assert (of["vector loads"] > 0) == (of["kernel"] in READING_VECTORS | HOLDING_ROWS), name
    writes_rows = of["kernel"].endswith("loss_and_gradient")
    assert (of["vector stores"] > 0) == writes_rows, name
    if of["kernel"] in READING_VECTORS | HOLDING_ROWS:
        assert of["shuffles"] > 0, name
    if "registers" in of:
        assert of["registers"] <= min(REGISTERS // (of["threads"] * of["resident"]), MOST_REGISTERS), name
        assert of["stack"] == of["spill stores"] == of["spill loads"] == 0, name
        assert of["shared"] <= 8 * (of["threads"] + 8), name


needs_compilers = pytest.mark.skipif(compilers_missing(), reason="NVIDIA's compiler libraries (nvrtc, nvvm) are not installed")


@needs_compilers
def test_a_sample_of_the_kernels_compiles_soundly():
    kernels = compiled(("9", "0"), *SAMPLE)
    assert sorted(f"{of['kernel']}-{of['format']}" for of in kernels) == sorted(SAMPLE)
    for of in kernels:
        assert_sound(of)


@pytest.mark.slow
@needs_compilers
@pytest.mark.parametrize("capability", [("8", "0"), ("9", "0"), ("10", "0")], ids=".".join)
def test_every_kernel_compiles_soundly(capability):
    kernels = compiled(capability)
    assert {of["kernel"] for of in kernels} == set(KERNELS)
    for of in kernels:
        assert_sound(of)
