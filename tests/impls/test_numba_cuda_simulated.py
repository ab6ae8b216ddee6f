"""The CUDA kernels in the simulator with blocks of several sizes; and the two sides of the seam beside each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from xentfuzz.dtypes import FLOAT_NAMES, numpy_dtype
from xentfuzz.impls.numba_cuda import compiler, simulator
from xentfuzz.impls.numba_cuda.formats import FORMATS
from xentfuzz.impls.numba_cuda.simulation import SIMULATOR_VARIABLE

# Its blocks wait for each other; the simulator runs one after the other.
WAITING = {"shared_loss_and_gradient"}


def test_blocks_of_every_size_are_right_about_the_boundaries():
    script = Path(__file__).parent / "cuda_blocks.py"
    environment = {**os.environ, SIMULATOR_VARIABLE: "1"}
    done = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True, env=environment)
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["compared"] > 200
    assert set(found["kernels"]) == set(compiler.KERNELS) - WAITING


# What a float64 lacks: it is not held in registers.
HELD = {"load_held", "held_maximum", "held_total", "store_held"}
NAMES = """
from xentfuzz.impls.numba_cuda import gpu, simulator
from xentfuzz.impls.numba_cuda.formats import FORMATS
for floating in FORMATS.values():
    ours, simulated = (set(vars(side.machine(floating, 256, 2))) for side in (gpu, simulator))
    print(floating.name, *sorted(ours ^ simulated))
"""


def test_both_sides_of_the_seam_have_the_same_names():
    environment = {name: value for name, value in os.environ.items() if name != SIMULATOR_VARIABLE}
    done = subprocess.run([sys.executable, "-c", NAMES], check=True, capture_output=True, text=True, env=environment)
    differing = {line.split()[0]: set(line.split()[1:]) for line in done.stdout.splitlines()}
    assert differing == {name: HELD if name == "float64" else set() for name in FORMATS}


def address_of(array):
    return array.__array_interface__["data"][0]


@pytest.fixture(params=FLOAT_NAMES)
def memory(request):
    """A format, and 64 bytes that kernels may touch."""
    array = np.zeros(80, np.uint8)
    array = array[-address_of(array) % 16 :][:64].view(numpy_dtype(request.param))
    simulator.allow([(address_of(array), address_of(array) + 64)])
    yield FORMATS[request.param], array
    simulator.allow([])


def test_a_block_is_read_and_written_up_to_its_end(memory):
    floating, array = memory
    machine, count = simulator.machine(floating, 2, 2), floating.per_vector
    array[:] = np.arange(1, array.size + 1)
    inside = machine.load_block(address_of(array), 32, 48)
    assert list(inside) == [*range(1, count + 1), *range(2 * count + 1, 3 * count + 1)]
    assert all(type(number) is floating.real for number in inside)
    assert list(machine.load_block(address_of(array), 32, 32)) == [*range(1, count + 1), *[-np.inf] * count]
    machine.store_block(address_of(array), 32, 32, tuple([floating.real(7)] * 2 * count))
    assert array.tolist() == [7] * count + list(range(count + 1, array.size + 1))


def test_a_kernel_that_leaves_its_arrays_or_its_alignment_is_stopped(memory):
    floating, array = memory
    machine, start = simulator.machine(floating, 2, 1), address_of(array)
    for address in (start - floating.size, start + 64):
        with pytest.raises(IndexError, match="none of the arrays"):
            machine.load(address)
        with pytest.raises(IndexError, match="none of the arrays"):
            machine.store(address, floating.real(1))
    with pytest.raises(IndexError, match="no multiple of 16"):
        machine.load_block(start + floating.size, 16, 16)


@pytest.mark.parametrize(("value", "kind"), [(200, 1), (-3, -1), (60000, 2), (-2, -4), (2**63 - 1, -8), (2**40, 8)])
def test_class_indices_of_every_width(value, kind):
    array = np.array([value], f"{'i' if kind < 0 else 'u'}{abs(kind)}")
    simulator.allow([(address_of(array), address_of(array) + array.nbytes)])
    assert simulator.load_index(address_of(array), kind) == value
