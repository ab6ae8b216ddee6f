from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FLOAT_NAMES, TARGET_NAMES, numpy_dtype
from xentfuzz.recipes.layouts import LAYOUTS, lay_out, repeated_values

SHAPES = ((), (1,), (5,), (3, 4), (1, 1), (2, 3, 4), (2, 3, 1, 5), (0, 3), (3, 0))
FAITHFUL = [name for name, layout in LAYOUTS.items() if not layout.repeats]


def numbers(shape: tuple[int, ...], dtype: str = "float32") -> np.ndarray:
    return (np.arange(np.prod(shape)) % 100 + 1).reshape(shape).astype(numpy_dtype(dtype))


def element_bytes(array: StridedArray) -> set[int]:
    """The places in the storage that belong to an element."""
    size = array.view().itemsize
    starts = {array.offset + sum(i * s for i, s in zip(index, array.strides, strict=True)) for index in np.ndindex(array.shape)}
    return {start + byte for start in starts for byte in range(size)}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_has_the_values_that_it_says(layout, shape):
    values = numbers(shape)
    assert np.array_equal(lay_out(values, layout).view(), repeated_values(values, layout))


@pytest.mark.parametrize("layout", FAITHFUL)
def test_most_layouts_leave_values_alone(layout):
    values = numbers((2, 3, 4))
    assert repeated_values(values, layout) is values


@pytest.mark.parametrize("dtype", [*FLOAT_NAMES, *TARGET_NAMES])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_everything_between_the_elements_is_poison(layout, dtype):
    array = lay_out(numbers((3, 4), dtype), layout)
    places = element_bytes(array)
    gaps = {int(byte) for place, byte in enumerate(array.storage) if place not in places}
    assert gaps <= ({1} if dtype == "bool" else {0xFF})


@pytest.mark.parametrize("dtype", FLOAT_NAMES)
def test_poison_is_nan_in_every_format(dtype):
    storage = np.full(8, 0xFF, np.uint8)
    assert np.isnan(storage.view(numpy_dtype(dtype)).astype(np.float64)).all()


def test_layouts_are_what_their_names_say():
    def of(layout: str, shape: tuple[int, ...] = (3, 4, 5)) -> StridedArray:
        return lay_out(numbers(shape), layout)

    assert of("contiguous").view().flags.c_contiguous
    assert of("fortran").view().flags.f_contiguous
    assert of("transposed").strides == (20, 60, 4)
    assert of("channels_last").strides == (80, 4, 16)
    assert of("sliced_rows").strides == (160, 20, 4)
    assert of("sliced_columns").strides == (160, 40, 8)
    assert of("first_columns").strides == (128, 32, 4)
    assert of("negative_stride").strides == (-80, -20, -4)
    assert of("broadcast").strides == (0, 20, 4)
    assert of("expanded").strides == (0, 0, 0)
    assert not of("unaligned").view().flags.aligned
    assert not of("read_only").view().flags.writeable
    assert of("inside_larger_buffer").offset == 64
    assert of("inside_larger_buffer").storage.size == 64 + 240 + 64


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_array_of_too_low_a_rank_is_contiguous(layout):
    if LAYOUTS[layout].minimum_rank:
        array = lay_out(numbers((4,) * (LAYOUTS[layout].minimum_rank - 1)), layout)
        assert array.view().flags.c_contiguous


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_fresh_copy_keeps_the_layout(layout):
    array = lay_out(numbers((3, 4)), layout)
    copy = array.fresh()
    assert copy.strides == array.strides
    assert np.array_equal(copy.view(), array.view())
    assert copy.view().flags.writeable == array.view().flags.writeable
