"""Where arrays are, and how they come to the kernels: device arrays as they lie, host arrays by a copy there and back.

An array is `Placed`: an address, shape and strides, and what keeps the memory alive. A place allocates results and scratch with the
library that the caller's arrays are of, on the caller's device, and knows the caller's stream.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.impls import arguments
from xentfuzz.impls.numba_cuda.simulation import SIMULATED


def _numpy_dtype(name: str) -> np.dtype[Any]:
    if name == "bfloat16":
        import ml_dtypes  # noqa: PLC0415 - not needed for the other formats

        dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return dtype
    return np.dtype(name)


def _storage(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype under which libraries without bfloat16 hold an array."""
    return np.dtype(np.uint16) if dtype.name == "bfloat16" else dtype


@dataclass(frozen=True)
class Placed:
    """An array where kernels reach it. strides: in bytes. owner: what keeps its memory."""

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    owner: Any

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        typestr = _storage(self.dtype).str
        return {"shape": self.shape, "strides": self.strides, "typestr": typestr, "data": (self.address, False), "version": 3}

    @property
    def extent(self) -> tuple[int, int]:
        """The addresses of its first byte and past its last."""
        if 0 in self.shape:
            return self.address, self.address
        reach = [(size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True)]
        lowest = self.address + sum(step for step in reach if step < 0)
        return lowest, self.address + sum(step for step in reach if step > 0) + self.dtype.itemsize

    def to_host(self) -> Any:
        """A copy in the host's memory, which waits for the device."""
        if isinstance(self.owner, np.ndarray):
            return self.owner
        if _is_torch(self.owner):
            return self.owner.cpu().numpy()
        if hasattr(self.owner, "get"):
            return self.owner.get()
        given = _numba_cuda().as_cuda_array(self).copy_to_host()
        return given.view(self.dtype) if given.dtype != self.dtype else given

    def matrix(self, axis: int) -> tuple[Placed, int]:
        """The positions of its rows along `axis`, and the stride of that axis."""
        shape, strides = list(self.shape), list(self.strides)
        del shape[axis]
        stride = strides.pop(axis)
        return Placed(self.address, tuple(shape), tuple(strides), self.dtype, self.owner), stride


def contiguous(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Strides in C order."""
    return tuple(itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def positions(shape: tuple[int, ...], *strides: tuple[int, ...]) -> tuple[tuple[int, int, int], list[tuple[int, int, int]]]:
    """Rows of up to three axes, as few of them as will do for every array: shape, and each array's strides.

    Raises ValueError for more than three that cannot be joined.
    """
    sizes: list[int] = []
    kept: list[list[int]] = [[] for _ in strides]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        of_axis = [each[axis] for each in strides]
        if sizes and all(mine[-1] == size * stride for mine, stride in zip(kept, of_axis, strict=True)):
            sizes[-1] *= size
            for mine, stride in zip(kept, of_axis, strict=True):
                mine[-1] = stride
        else:
            sizes.append(size)
            for mine, stride in zip(kept, of_axis, strict=True):
                mine.append(stride)
    missing = 3 - len(sizes)
    if missing < 0:
        raise ValueError(f"arrays whose rows have {len(sizes)} axes that cannot be joined given on the device; wanted at most 3")
    padded = [(0,) * missing + tuple(mine) for mine in kept]
    return ((1,) * missing + tuple(sizes)), padded  # type: ignore[return-value]  # three of each


Allocated = tuple[Placed, Callable[[], Any]]


class Host:
    """NumPy arrays: the simulator's kernels work on them as they are, a GPU's on copies."""

    stream = 0

    def device(self) -> AbstractContextManager[Any]:
        if not SIMULATED:
            _numba_cuda().current_context()
        return nullcontext()

    @staticmethod
    def place(array: Any) -> Placed:
        array = arguments.native(array)
        if not array.flags.aligned:
            array = array.copy()
        if SIMULATED:
            return Placed(array.__array_interface__["data"][0], array.shape, array.strides, array.dtype, array)
        packed = np.ascontiguousarray(array).reshape(-1)
        memory = _numba_cuda().to_device(packed.view(_storage(packed.dtype)) if packed.size else np.zeros(1, np.int64))
        return Placed(_address(memory), array.shape, contiguous(array.shape, array.dtype.itemsize), array.dtype, memory)

    @staticmethod
    def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Allocated:
        if SIMULATED:
            array = np.empty(shape, dtype)
            return Placed(array.__array_interface__["data"][0], shape, array.strides, dtype, array), lambda: array
        memory = _numba_cuda().device_array(max(math.prod(shape), 1), _storage(dtype))
        placed = Placed(_address(memory), shape, contiguous(shape, dtype.itemsize), dtype, memory)
        return placed, lambda: memory.copy_to_host()[: math.prod(shape)].view(dtype).reshape(shape)


class Interface:
    """Arrays with `__cuda_array_interface__`: results are Numba's device arrays. The stream is the interface's, else the default one."""

    def __init__(self, given: Any) -> None:
        self.stream: int = given.__cuda_array_interface__.get("stream") or 0

    def device(self) -> AbstractContextManager[Any]:
        if not SIMULATED:
            _numba_cuda().current_context()
        return nullcontext()

    @staticmethod
    def place(array: Any) -> Placed:
        interface = array.__cuda_array_interface__
        dtype = np.dtype(interface["typestr"])
        if dtype.kind == "V" and dtype.itemsize == 2:
            dtype = _numpy_dtype("bfloat16")
        shape = tuple(interface["shape"])
        strides = interface.get("strides")
        return Placed(interface["data"][0], shape, tuple(strides or contiguous(shape, dtype.itemsize)), dtype, array)

    @staticmethod
    def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Allocated:
        memory = _numba_cuda().device_array(shape, dtype if SIMULATED else _storage(dtype))
        return Placed(_address(memory), shape, contiguous(shape, dtype.itemsize), dtype, memory), lambda: memory


class Torch:
    """torch's tensors: results come from torch's allocator, on the tensors' device, in the order of its current stream."""

    def __init__(self, given: Any) -> None:
        self.torch = sys.modules["torch"]
        self.where = given.device
        self.stream: int = self.torch.cuda.current_stream(self.where).cuda_stream

    def device(self) -> AbstractContextManager[Any]:
        if self.where.index == self.torch.cuda.current_device():
            return nullcontext()
        guard: AbstractContextManager[Any] = self.torch.cuda.device(self.where)
        return guard

    @staticmethod
    def place(array: Any) -> Placed:
        size = array.element_size()
        name = str(array.dtype).removeprefix("torch.")
        strides = tuple(stride * size for stride in array.stride())
        return Placed(array.data_ptr(), tuple(array.shape), strides, _numpy_dtype(name), array)

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Allocated:
        memory = self.torch.empty(shape, dtype=getattr(self.torch, dtype.name), device=self.where)
        return Placed(memory.data_ptr(), shape, contiguous(shape, dtype.itemsize), dtype, memory), lambda: memory


class Cupy:
    """CuPy's arrays: results come from its allocator, on its current stream; it has no bfloat16, which is uint16 there."""

    def __init__(self, given: Any) -> None:
        self.cupy = sys.modules["cupy"]
        self.where = given.device
        self.stream: int = self.cupy.cuda.get_current_stream().ptr

    def device(self) -> AbstractContextManager[Any]:
        guard: AbstractContextManager[Any] = self.where
        return guard

    place = staticmethod(Interface.place)

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Allocated:
        memory = self.cupy.empty(shape, _storage(dtype))
        return Placed(memory.data.ptr, shape, contiguous(shape, dtype.itemsize), dtype, memory), lambda: memory


Place = Host | Interface | Torch | Cupy


def _numba_cuda() -> Any:
    import numba.cuda  # noqa: PLC0415 - importing Numba takes half a second

    return numba.cuda


def _address(memory: Any) -> int:
    address: int = memory.__cuda_array_interface__["data"][0]
    return address


def _is_torch(array: Any) -> bool:
    return type(array).__module__.partition(".")[0] == "torch"


def on_device(array: Any) -> bool:
    if _is_torch(array):
        return bool(array.is_cuda)
    return hasattr(array, "__cuda_array_interface__")


def placed(*arrays: Any) -> tuple[Any, ...]:
    """The place of the arrays, followed by the arrays, placed. Raises TypeError where they are not all in one place."""
    present = [array for array in arrays if array is not None]
    where = [on_device(array) for array in present]
    if any(where) and not all(where):
        raise TypeError("arrays on the host and on the device given; wanted all of them in one place")
    place: Place = Host()
    if any(where):
        library = type(present[0]).__module__.partition(".")[0]
        place = Torch(present[0]) if library == "torch" else Cupy(present[0]) if library == "cupy" else Interface(present[0])
    with place.device():
        return place, *(None if array is None else place.place(array) for array in arrays)
