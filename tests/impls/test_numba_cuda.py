"""The CUDA kernels beyond what the simulator runs: that they compile for GPUs, and that arrays on a device are viewed as they lie."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from xentfuzz.dtypes import FLOAT_NAMES, FORMATS, numpy_dtype
from xentfuzz.impls import numba_cuda
from xentfuzz.impls.numba_cuda import Described, Device, Host, Rounding


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


@pytest.mark.slow
@pytest.mark.skipif(compilers_missing(), reason="NVIDIA's compiler libraries (nvrtc, nvvm) are not installed")
@pytest.mark.parametrize("capability", [("9", "0"), ("10", "0")], ids=".".join)
def test_kernels_compile_for_a_gpu(capability):
    script = Path(__file__).parent / "compile_for_gpu.py"
    environment = {name: value for name, value in os.environ.items() if name != numba_cuda.SIMULATOR_VARIABLE}
    done = subprocess.run([sys.executable, script, *capability], check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    compiled = {line.split()[0] for line in done.stdout.splitlines()}
    assert compiled == {name for name in dir(numba_cuda) if name.endswith("_kernel")}


class OnDevice:
    """Stands for an array on a device: host memory with the interface of device memory."""

    def __init__(self, array, *, strides=True):
        self.array = array
        self.__cuda_array_interface__ = {
            "shape": array.shape,
            "strides": array.strides if strides else None,
            "typestr": array.dtype.str,
            "data": (array.__array_interface__["data"][0], True),
            "version": 3,
        }


def viewed(interface, array):
    """What a kernel would see."""
    assert interface["data"][0] == array.__array_interface__["data"][0]
    as_kernels_see = array.view(np.dtype(interface["typestr"])) if array.dtype.str != interface["typestr"] else array
    return np.lib.stride_tricks.as_strided(as_kernels_see, interface["shape"], interface["strides"])


@pytest.fixture
def _interfaces(monkeypatch):
    monkeypatch.setattr(numba_cuda, "cuda", SimpleNamespace(as_cuda_array=lambda given: given.__cuda_array_interface__))


@pytest.mark.usefixtures("_interfaces")
@pytest.mark.parametrize("layout", ["C", "F", "flipped"])
@pytest.mark.parametrize("shape", [(5,), (2, 5), (2, 5, 3), (2, 5, 3, 4)], ids=str)
@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_matrix_on_the_device_is_a_view_with_the_classes_last(layout, shape, name):
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape), numpy_dtype(name), order="F" if layout == "F" else "C")
    array = np.flip(array) if layout == "flipped" else array
    for axis in range(len(shape)):
        got = viewed(Device.matrix(Described(OnDevice(array)), axis), array)
        moved = np.moveaxis(array, axis, -1)
        expected = moved.reshape((1,) * (4 - len(shape)) + moved.shape).view(numba_cuda._storage(array.dtype))
        assert np.array_equal(got, expected)


@pytest.mark.usefixtures("_interfaces")
@pytest.mark.parametrize("shape", [(), (5,), (2, 5), (2, 5, 3)], ids=str)
def test_positions_on_the_device_are_a_view(shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    got = viewed(Device.positions(Described(OnDevice(array, strides=False))), array)
    assert np.array_equal(got, array.reshape((1,) * (3 - len(shape)) + shape))


def test_description_of_a_bfloat16_array():
    described = Described(OnDevice(np.zeros((2, 3), numpy_dtype("bfloat16")), strides=False))
    assert described.dtype == numpy_dtype("bfloat16")
    assert described.shape == (2, 3)
    assert described.strides == (6, 2)


def test_rank_5_on_the_device_is_refused():
    with pytest.raises(ValueError, match="rank 5"):
        Device.matrix(Described(OnDevice(np.zeros((1, 1, 1, 1, 1)))), 1)


def test_arrays_have_to_be_in_one_place():
    host, device = np.zeros(3), OnDevice(np.zeros(3))
    assert numba_cuda._placed(host, None) == (Host, host, None)
    assert numba_cuda._placed(device, None) == (Device, Described(device), None)
    with pytest.raises(TypeError, match="in one place"):
        numba_cuda._placed(device, host)


@pytest.mark.parametrize("name", FLOAT_NAMES)
def test_limit_is_the_least_number_that_rounds_to_infinity(name):
    _, bfloat16, limit = Rounding(numpy_dtype(name))
    assert bfloat16 == (name == "bfloat16")
    if name == "float64":
        assert limit == np.inf
    else:
        wider = np.float64 if name == "float32" else np.float32
        with np.errstate(over="ignore"):
            assert wider(limit).astype(numpy_dtype(name)) == np.inf
        assert np.nextafter(wider(limit), wider(0)).astype(numpy_dtype(name)) == numpy_dtype(name).type(FORMATS[name].max)


@pytest.mark.skipif(numba_cuda.gpu_present(), reason="there is a GPU")
def test_without_gpu_and_simulator_the_error_says_what_to_set():
    code = "import numpy as np; from xentfuzz.impls import numba_cuda; numba_cuda.softmax(np.zeros(3), axis=0)"
    environment = {name: value for name, value in os.environ.items() if name != numba_cuda.SIMULATOR_VARIABLE}
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "set NUMBA_ENABLE_CUDASIM=1 before numba is imported" in done.stderr


def test_thread_switches_are_restored_after_a_launch():
    before = sys.getswitchinterval()
    with numba_cuda._eager_threads():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before


@pytest.mark.parametrize("shape", [(0, 4), (2, 4, 0)])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_no_rows_at_all_are_right(named, shape, reduction):
    cuda, positions = named("numba-cuda"), shape[:1] + shape[2:]
    upstream = np.ones(positions if reduction == "none" else (), np.float32)
    given = {"logits": np.zeros(shape, np.float32), "target": np.zeros(positions, np.int64), "grad_output": upstream}
    cuda.assert_right(cuda.case("cross_entropy", **given, reduction=reduction), "value", "grad_logits")


MANY_THREADS = """
from xentfuzz import check, get
from xentfuzz.impls import numba_cuda

numba_cuda.THREADS = 8
report = check(get("numba-cuda", operation="cross_entropy"), profile="quick", checks=["value", "gradient"], max_examples=2, seed=0, isolate=False)
print(report.ok, report.cases)
"""


def test_blocks_of_many_threads_reduce_rightly_in_the_simulator():
    environment = {**os.environ, numba_cuda.SIMULATOR_VARIABLE: "1"}
    done = subprocess.run([sys.executable, "-c", MANY_THREADS], check=True, capture_output=True, text=True, env=environment)
    ok, cases = done.stdout.split()
    assert ok == "True"
    assert int(cases) >= 2 * len(FLOAT_NAMES)
