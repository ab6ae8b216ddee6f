"""Bugs of memory layout: an array is read as if its elements lay otherwise than its strides say.

What a kernel would read beyond the memory that the array spans is 0 here, so that the bug cannot take the process down.
"""

from __future__ import annotations

import numpy as np

from xentfuzz.gallery.call import call
from xentfuzz.gallery.cross_entropy import Array, CrossEntropy, Given, Problem
from xentfuzz.gallery.entry import Shelf, Shown

SHELF = Shelf("STRIDE")

TWO = [[0.0, 1.0, 3.0], [2.0, 0.0, 1.0]]
TALL = [[0.0, 1.0, 3.0], [9.0, 9.0, 9.0], [2.0, 0.0, 1.0], [9.0, 9.0, 9.0]]
WIDE = [[0.0, 9.0, 1.0, 9.0, 3.0, 9.0], [2.0, 9.0, 0.0, 9.0, 1.0, 9.0]]


def lowest_address(array: Array) -> int:
    """Of the memory that `array` spans, in bytes."""
    start: int = array.__array_interface__["data"][0]
    below: int = sum(stride * (length - 1) for stride, length in zip(array.strides, array.shape, strict=True) if stride < 0)
    return start + below


def spanned(array: Array) -> Array:
    """The memory that `array` spans, element by element from its lowest address on."""
    if not array.size:
        return array.reshape(-1)
    reach = sum(abs(stride) * (length - 1) for stride, length in zip(array.strides, array.shape, strict=True))
    reversed_axes = tuple(slice(None, None, -1) if stride < 0 else slice(None) for stride in array.strides)
    count = reach // array.itemsize + 1
    return np.lib.stride_tricks.as_strided(array[reversed_axes], (count,), (array.itemsize,), writeable=False)


def read(array: Array, first: int, strides: tuple[int, ...]) -> Array:
    """Elements of the memory that `array` spans: from number `first` on, `strides` apart (in elements), in the shape of `array`."""
    memory = spanned(array)
    places = first + sum(
        np.arange(length).reshape((-1,) + (1,) * (array.ndim - axis - 1)) * strides[axis] for axis, length in enumerate(array.shape)
    )
    inside = (places >= 0) & (places < len(memory))
    return np.where(inside, memory[np.where(inside, places, 0)], memory.dtype.type(0))


def c_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides, in elements, of a contiguous array of this shape."""
    return tuple(int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape)))


def first_element(array: Array) -> int:
    """The number of element (0, 0, ...) in the memory that `array` spans."""
    start: int = array.__array_interface__["data"][0]
    return (start - lowest_address(array)) // array.itemsize


@SHELF(
    "R81",
    tier=2,
    reference="NVIDIA/TransformerEngine#2734 (PR#2746)",
    mechanism="an array whose last stride is one element is taken for contiguous",
    shown=Shown(call(lambda: np.array(TALL, np.float32)[::2], [0, 1]), "loss", wrong="2.134", right="2.789"),
    unaffected=call(lambda: np.array(WIDE, np.float32)[:, ::2], [0, 1]),
    smallest=4,
)
class LooksAtTheLastStride(CrossEntropy):
    def logit_rows(self, given: Given) -> Array:
        x = given.logits
        if not x.size or x.strides[-1] != x.itemsize:
            return super().logit_rows(given)
        return self.to_rows(given, read(x, first_element(x), c_strides(x.shape)))


@SHELF(
    "R82",
    tier=2,
    reference="unslothai/unsloth PR#10713",
    mechanism="the classes of a row are read with stride 1 from where the row starts",
    shown=Shown(call(lambda: np.array(WIDE, np.float32)[:, ::2], [0, 1]), "loss", wrong="4.501", right="2.789"),
    unaffected=call(lambda: np.array(TALL, np.float32)[::2], [0, 1]),
    smallest=2,
)
class ReadsClassesWithStrideOne(CrossEntropy):
    def logit_rows(self, given: Given) -> Array:
        x = given.logits
        # Logits with inner axes are copied to rows first; those never have a class stride of one element.
        if not x.size or x.ndim > 2:
            return super().logit_rows(given)
        strides = (*(stride // x.itemsize for stride in x.strides[:-1]), 1)
        return self.to_rows(given, read(x, first_element(x), strides))


@SHELF(
    "R83",
    tier=2,
    reference="tracel-ai/burn#4815; flagos-ai/Torch-FL#171, FlagGems PR#5723; ml-explore/mlx#657",
    mechanism="strides are not looked at: the softmax is that of the storage, not of the view",
    shown=Shown(call(lambda: np.array(TWO, np.float32, order="F"), [0, 1]), "loss", wrong="1.289", right="2.789"),
    unaffected=call(TWO, [0, 1]),
    smallest=2,
)
class ReadsTheStorage(CrossEntropy):
    def logit_rows(self, given: Given) -> Array:
        x = given.logits
        return self.to_rows(given, read(x, 0, c_strides(x.shape))) if x.size else super().logit_rows(given)


@SHELF(
    "R84",
    tier=3,
    reference="ROCm/TransformerEngine PR#623; TransformerEngine PR#2402; Dao-AILab/quack PR#126",
    mechanism="an expanded upstream gradient, of stride 0, is read with stride 1",
    shown=Shown(
        call(TWO, [0, 1], grad_output=lambda: np.broadcast_to(np.float32(1), 2), reduction="none"),
        "gradient",
        wrong="-0.958 0.1142 0.8438 0 -0 0",
        right="-0.958 0.1142 0.8438 0.6652 -0.91 0.2447",
    ),
    unaffected=call(TWO, [0, 1], grad_output=lambda: np.array([1, 9, 1, 9], np.float32)[::2], reduction="none"),
    smallest=4,
)
class ReadsBehindAnExpandedUpstream(CrossEntropy):
    def upstream(self, problem: Problem, grad_output: Array) -> Array:
        expanded = grad_output.size > 1 and 0 in grad_output.strides
        return super().upstream(problem, read(grad_output, 0, c_strides(grad_output.shape)) if expanded else grad_output)


@SHELF(
    "R85",
    tier=3,
    reference="torch/nn PR#834",
    mechanism="a strided upstream gradient is read as if it were contiguous",
    shown=Shown(
        call(TWO, [0, 1], grad_output=lambda: np.array([1, 9, 1, 9], np.float32)[::2], reduction="none"),
        "gradient",
        wrong="-0.958 0.1142 0.8438 5.987 -8.19 2.203",
        right="-0.958 0.1142 0.8438 0.6652 -0.91 0.2447",
    ),
    unaffected=call(TWO, [0, 1], grad_output=lambda: np.broadcast_to(np.float32(1), 2), reduction="none"),
    smallest=4,
)
class ReadsTheUpstreamAsContiguous(CrossEntropy):
    def upstream(self, problem: Problem, grad_output: Array) -> Array:
        strided = grad_output.size > 1 and 0 not in grad_output.strides
        return super().upstream(
            problem, read(grad_output, first_element(grad_output), c_strides(grad_output.shape)) if strided else grad_output
        )
