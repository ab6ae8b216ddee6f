"""Around the CUDA kernels: arrays where they are, flags of classes out of range, knobs and layouts, kernels that are kept."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

from xentfuzz.dtypes import FLOAT_NAMES, numpy_dtype
from xentfuzz.impls import arguments
from xentfuzz.impls.numba_cuda import compiler, flags, launch, settings
from xentfuzz.impls.numba_cuda.compiler import Specialisation
from xentfuzz.impls.numba_cuda.formats import FORMATS
from xentfuzz.impls.numba_cuda.placement import Host, Interface, Placed, placed, positions
from xentfuzz.impls.numba_cuda.simulation import SIMULATOR_VARIABLE, gpu_present


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


def addresses(start, shape, strides):
    """Of every element, in the order of its indices."""
    indices = np.indices(shape).reshape(len(shape), -1)
    return start + np.asarray(strides, np.int64) @ indices if shape else np.array([start])


@pytest.mark.parametrize("layout", ["C", "F", "flipped"])
@pytest.mark.parametrize("shape", [(5,), (2, 5), (2, 5, 3), (2, 5, 3, 4)], ids=str)
@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_rows_of_a_device_array_lie_where_its_elements_do(layout, shape, name):
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape), numpy_dtype(name), order="F" if layout == "F" else "C")
    array = np.flip(array) if layout == "flipped" else array
    array_placed = Interface.place(OnDevice(array))
    for axis in range(len(shape)):
        rows, class_stride = array_placed.matrix(axis)
        joined, (strides,) = positions(rows.shape, rows.strides)
        moved = np.moveaxis(array, axis, -1)
        wanted = addresses(array.__array_interface__["data"][0], moved.shape, moved.strides).reshape(-1, shape[axis])
        starts = addresses(rows.address, joined, strides)
        assert np.array_equal(starts[:, None] + np.arange(shape[axis]) * class_stride, wanted)


def test_axes_that_lie_one_after_the_other_are_joined_for_all_arrays_or_none():
    assert positions((2, 3, 4), (96, 32, 8), (48, 16, 4)) == ((1, 1, 24), [(0, 0, 8), (0, 0, 4)])
    assert positions((2, 3), (24, 8), (4, 8)) == ((1, 2, 3), [(0, 24, 8), (0, 4, 8)])


def test_rows_with_four_axes_that_cannot_be_joined_are_refused():
    with pytest.raises(ValueError, match="4 axes"):
        positions((2, 2, 2, 2), (1000, 300, 70, 8))


def test_bfloat16_on_a_device_may_be_without_a_name():
    array = np.zeros((2, 3), numpy_dtype("bfloat16"))
    assert array.dtype.str == "<V2"
    described = Interface.place(OnDevice(array, strides=False))
    assert (described.dtype, described.shape, described.strides) == (array.dtype, (2, 3), (6, 2))


def test_arrays_have_to_be_in_one_place():
    host, device = np.zeros(3), OnDevice(np.zeros(3))
    with pytest.raises(TypeError, match="in one place"):
        placed(device, host)


def test_extent_holds_every_element():
    array = np.zeros((4, 6))[::-1, 1:5:2]
    lowest, end = Placed(array.__array_interface__["data"][0], array.shape, array.strides, array.dtype, array).extent
    of_all = addresses(array.__array_interface__["data"][0], array.shape, array.strides)
    assert (lowest, end) == (of_all.min(), of_all.max() + 8)


@pytest.mark.skipif(gpu_present(), reason="there is a GPU")
def test_unaligned_host_arrays_are_copied():
    array = np.frombuffer(bytes(9), np.uint8)[1:].view(np.float32)
    assert not array.flags.aligned
    assert Host.place(array).address % 4 == 0


@pytest.mark.skipif(gpu_present(), reason="there is a GPU")
def test_without_gpu_and_simulator_the_error_says_what_to_set():
    code = "import numpy as np; from xentfuzz.impls import numba_cuda; numba_cuda.softmax(np.zeros(3), axis=0)"
    environment = {name: value for name, value in os.environ.items() if name != SIMULATOR_VARIABLE}
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "set NUMBA_ENABLE_CUDASIM=1 before numba is imported" in done.stderr


def test_thread_switches_are_restored_after_a_launch():
    before = sys.getswitchinterval()
    with launch._eager_threads():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before


@pytest.mark.parametrize("shape", [(0, 4), (2, 4, 0)])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_no_rows_at_all_are_right(named, shape, reduction):
    cuda, of_rows = named("numba-cuda"), shape[:1] + shape[2:]
    upstream = np.ones(of_rows if reduction == "none" else (), np.float32)
    given = {"logits": np.zeros(shape, np.float32), "target": np.zeros(of_rows, np.int64), "grad_output": upstream}
    cuda.assert_right(cuda.case("cross_entropy", **given, reduction=reduction), "value", "grad_logits")


@pytest.fixture
def _host_flags(monkeypatch):
    monkeypatch.setattr(flags, "SIMULATED", True)
    monkeypatch.setattr(flags, "_memory", [])
    monkeypatch.setattr(flags, "_unchecked", type(flags._unchecked)())


@pytest.mark.usefixtures("_host_flags")
def test_a_flag_that_was_left_is_found_once_it_is_set():
    first, second = flags.take(), flags.take()
    flags.leave(first, "first")
    flags.leave(second, "second")
    assert flags.found_late() is None
    flags._flags()[second] = 1
    assert flags.is_set(second)
    assert not flags.is_set(first)
    assert flags.found_late() == "second"
    assert flags.found_late() is None


@pytest.mark.usefixtures("_host_flags")
def test_a_flag_that_is_taken_again_is_clear():
    old = flags.take()
    flags.leave(old, "old")
    flags._flags()[old] = 1
    taken = [flags.take() for _ in range(flags.COUNT)]
    assert taken[-1] == old
    assert not flags.is_set(old)
    assert flags.found_late() is None


def test_formats_are_those_of_the_arguments():
    assert tuple(FORMATS) == arguments.FLOAT_NAMES == FLOAT_NAMES


KNOBS = [{}, {"threads": 128}, {"threads": 4, "vectors": 1}, {"rounds": 4, "vectors": 2}, {"pieces": 1}, {"held": 3, "held_threads": 64}]
SIZES = [(rows, classes) for rows in (1, 16, 300, 70000) for classes in (1, 9, 129, 1000, 32001, 262144)]


@pytest.mark.parametrize("knobs", KNOBS, ids=str)
@pytest.mark.parametrize("name", FLOAT_NAMES)
def test_pieces_are_even_and_hold_every_vector_of_a_row(monkeypatch, knobs, name):
    monkeypatch.setattr(settings, "SIMULATED", False)
    of, floating = settings.Settings(**knobs), FORMATS[name]
    laid_out = 0
    for rows, classes in SIZES:
        vectors = -(-classes // floating.per_vector)
        for layout in (
            settings.rows_layout(of, floating, rows, classes, 132),
            settings.shared_layout(of, floating, rows, classes, 132),
            settings.held_layout(of, floating, rows, classes, 396),
        ):
            if layout is None:
                continue
            laid_out += 1
            assert 0 <= layout.pieces * layout.per_piece - vectors < layout.pieces
            assert 1 << layout.width_shift <= max(of.threads, of.held_threads)
        held = settings.held_layout(of, floating, rows, classes, 396)
        if held is not None:
            assert held.per_piece <= of.held * of.held_threads
            assert held.pieces <= 396
    assert laid_out >= 2 * len(SIZES)


def test_blocks_that_wait_for_each_other_are_no_more_than_run_at_once(monkeypatch):
    monkeypatch.setattr(settings, "SIMULATED", False)
    floating = FORMATS["float32"]
    assert settings.held_layout(settings.Settings(), floating, 1, 262144, 32).pieces == 32
    assert settings.held_layout(settings.Settings(), floating, 1, 262144, 31) is None


def test_knobs_that_are_tried_come_before_those_that_are_usual(monkeypatch):
    monkeypatch.setattr(settings, "SIMULATED", False)
    monkeypatch.setattr(settings, "_USUAL", settings.Settings())
    loss = settings.for_rows(FORMATS["bfloat16"], gradient=False)
    assert (loss.threads, loss.resident) == (128, 5)
    assert settings.for_rows(FORMATS["bfloat16"], gradient=True) == settings.usual() == settings.Settings()
    settings.use(threads=64, held=2)
    tried = settings.for_rows(FORMATS["bfloat16"], gradient=False)
    assert (tried.threads, tried.resident, tried.held) == (64, 5, 2)
    settings.use()
    assert settings.for_rows(FORMATS["bfloat16"], gradient=False) == loss


def test_every_measured_choice_is_of_a_knob_of_a_kernel():
    names = {name for knobs in settings.FOR_ROWS.values() for name in knobs}
    assert names <= set(settings.Settings.__dataclass_fields__)
    assert set(settings.FOR_ROWS) <= set(itertools.product((False, True), FLOAT_NAMES))


def test_a_compiled_kernel_is_kept_for_each_set_of_knobs_and_source(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(compiler, "compile_to_ptx", lambda which, capability: asked.append(which) or f"{which} {capability}")
    monkeypatch.setenv(compiler.CACHE_VARIABLE, str(tmp_path / "kept"))
    first, other = Specialisation("loss", "float32", 128), Specialisation("loss", "float32", 256)
    for which, capability in ((first, (9, 0)), (other, (9, 0)), (first, (8, 0))):
        assert compiler.ptx(which, capability) == compiler.ptx(which, capability) == f"{which} {capability}"
    assert asked == [first, other, first]
    monkeypatch.setattr(compiler, "_source_digest", lambda: "changed")
    compiler.ptx(first, (9, 0))
    assert len(asked) == 4
