"""Tensors lie where the arrays lie, with the same strides; results come back with their bits."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import torch

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FLOAT_NAMES, TARGET_NAMES, numpy_dtype
from xentfuzz.recipes.layouts import LAYOUTS, lay_out
from xentfuzz.worker.libraries.library import Unsupported
from xentfuzz.worker.libraries.torch_tensors import TorchTensors


@pytest.fixture
def library():
    return TorchTensors("cpu")


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"negative_stride", "read_only"}))
def test_every_layout_that_torch_knows_is_kept(library, layout, dtype):
    array = lay_out(np.arange(24).reshape(2, 3, 4).astype(numpy_dtype(dtype)), layout)
    tensor = library.load(array)
    assert tuple(stride * tensor.element_size() for stride in tensor.stride()) == array.strides
    assert tensor.data_ptr() == array.view().__array_interface__["data"][0]
    np.testing.assert_array_equal(tensor.to(torch.float64).numpy(), array.view().astype(np.float64))


def test_what_is_written_to_a_tensor_is_written_to_the_array(library):
    array = StridedArray.of(np.zeros(3, np.float32))
    library.load(array)[1] = 7
    assert array.view().tolist() == [0, 7, 0]


@pytest.mark.parametrize("layout", ["negative_stride", "read_only"])
def test_layouts_that_torch_does_not_know_are_unsupported(library, layout):
    with pytest.raises(Unsupported, match="torch has no"):
        library.load(lay_out(np.zeros((2, 3)), layout))


def test_strides_between_elements_are_unsupported(library):
    with pytest.raises(Unsupported, match="torch has no strides"):
        library.load(StridedArray(np.zeros(64, np.uint8), "float32", (2, 2), (9, 4)))


@pytest.mark.parametrize("dtype", TARGET_NAMES)
def test_targets_of_every_dtype(library, dtype):
    values = np.array([0, 1, 1]).astype(dtype)
    assert library.load(StridedArray.of(values)).tolist() == values.tolist()


def test_empty_arrays_and_arrays_without_axes(library):
    assert library.load(StridedArray.of(np.zeros((0, 3), np.float32))).shape == (0, 3)
    assert library.load(StridedArray.of(np.float64(3))).item() == 3


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
def test_a_result_comes_back_with_its_bits(library, dtype):
    tensor = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype)).T.requires_grad_()
    found = library.collect(tensor)
    array = found.bits.view(numpy_dtype(found.dtype))
    assert array.dtype == numpy_dtype(dtype)
    np.testing.assert_array_equal(array.astype(np.float64), [[0, 3], [1, 4], [2, 5]])


def test_only_tensors_and_numbers_are_results(library):
    assert library.collect(0.5) == 0.5
    with pytest.raises(TypeError, match=r"returned a numpy\.ndarray; wanted a torch\.Tensor"):
        library.collect(np.zeros(3))


def test_gradients_of_all_that_was_asked_for(library):
    arrays = {"logits": torch.tensor([1.0, 2.0]), "target": torch.tensor([3.0, 4.0]), "weight": torch.tensor([5.0, 6.0])}
    found = library.gradients(
        lambda given: (given["logits"] * given["target"]).sum(), arrays, ["logits", "target", "weight"], torch.tensor(2.0)
    )
    assert {name: gradient.tolist() for name, gradient in found.items()} == {"logits": [6, 8], "target": [2, 4]}


def test_a_result_that_does_not_depend_on_the_first_argument_is_told(library):
    arrays = {"logits": torch.ones(2), "target": torch.ones(2)}
    with pytest.raises(LookupError, match="no gradient of logits"):
        library.gradients(lambda given: given["target"].sum(), arrays, ["logits", "target"], torch.tensor(1.0))


def test_bfloat16_needs_no_conversion_by_way_of_float32(library):
    values = np.array([1.0, np.nan, -0.0]).astype(ml_dtypes.bfloat16)
    found = library.collect(library.load(StridedArray.of(values)))
    assert found.bits.view(np.uint16).tolist() == values.view(np.uint16).tolist()
