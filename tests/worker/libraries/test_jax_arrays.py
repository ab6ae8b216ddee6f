"""jax arrays: contiguous copies, in the precision that jax is set to."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.recipes.layouts import LAYOUTS, lay_out
from xentfuzz.worker.libraries.library import Unsupported

jax = pytest.importorskip("jax")
JaxArrays = importlib.import_module("xentfuzz.worker.libraries.jax_arrays").JaxArrays


@pytest.fixture
def library():
    return JaxArrays("cpu")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_values_go_there_and_come_back(library, dtype):
    values = np.arange(6).reshape(2, 3).astype(numpy_dtype(dtype))
    found = library.collect(library.load(StridedArray.of(values)))
    assert found.bits.view(numpy_dtype(found.dtype)).tobytes() == values.tobytes()


def test_float64_is_unsupported_unless_jax_is_told_to_keep_it(library):
    array = StridedArray.of(np.zeros(3))
    with pytest.raises(Unsupported, match="JAX_ENABLE_X64=1"):
        library.load(array)
    with jax.enable_x64(True):  # noqa: FBT003 - its only spelling
        assert library.load(array).dtype == np.float64


def test_class_indices_may_become_int32(library):
    assert library.load(StridedArray.of(np.array([0, 2]))).tolist() == [0, 2]


@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"contiguous", "inside_larger_buffer", "expanded", "broadcast"}))
def test_other_layouts_are_unsupported(library, layout):
    with pytest.raises(Unsupported, match="no strides"):
        library.load(lay_out(np.arange(24, dtype=np.float32).reshape(2, 3, 4), layout))


def test_gradients_of_all_that_was_asked_for(library):
    arrays = {"logits": jax.numpy.array([1.0, 2.0]), "target": jax.numpy.array([3.0, 4.0])}
    found = library.gradients(lambda given: (given["logits"] * given["target"]).sum(), arrays, ["logits", "target"], jax.numpy.float32(2))
    assert {name: gradient.tolist() for name, gradient in found.items()} == {"logits": [6, 8], "target": [2, 4]}


def test_only_arrays_and_numbers_are_results(library):
    assert library.collect(0.5) == 0.5
    with pytest.raises(TypeError, match=r"returned a builtins\.list; wanted a jax\.Array"):
        library.collect([1.0])
