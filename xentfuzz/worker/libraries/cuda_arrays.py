"""Device arrays with `__cuda_array_interface__`, over memory of Numba's; plain fake device arrays in Numba's simulator.

bfloat16 has no code in that interface: it travels as uint16, as it does for Numba's CPU kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numba.cuda
import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected, Number, Unsupported, no_conversion
from xentfuzz.worker.libraries.numpy_arrays import collected

# Typed only in parts, differently from version to version.
_numba: Any = numba


def _code(dtype: str) -> str:
    return "<u2" if dtype == "bfloat16" else np.dtype(dtype).str


class DeviceArray:
    """A strided view of device memory, for whichever library reads the interface."""

    def __init__(self, memory: Any, array: StridedArray) -> None:
        self.memory = memory
        address = memory.__cuda_array_interface__["data"][0] + array.offset
        self.__cuda_array_interface__ = {
            "shape": array.shape,
            "typestr": _code(array.dtype),
            "strides": array.strides,
            "data": (0 if 0 in array.shape else address, not array.writeable),
            "version": 3,
        }


class CudaArrays(ArrayLibrary):
    def __init__(self) -> None:
        self.copies: list[tuple[Any, Any]] = []
        self.sixteen_bits = ""

    def load(self, array: StridedArray) -> Any:
        if array.dtype == "bfloat16":
            self.sixteen_bits = array.dtype
        host = StridedArray(array.storage, np.dtype(_code(array.dtype)).name, array.shape, array.strides, array.offset, array.writeable)
        if _numba.config.ENABLE_CUDASIM:
            return _numba.cuda.simulator.cudadrv.devicearray.FakeCUDAArray(host.view())
        if array.offset % np.dtype(_code(array.dtype)).itemsize:
            raise Unsupported("device memory is read at aligned addresses only")
        memory = _numba.cuda.to_device(array.storage if array.storage.size else np.zeros(1, np.uint8))
        self.copies.append((array.storage, memory))
        return DeviceArray(memory, array)

    def collect(self, result: Any) -> Collected | Number:
        if isinstance(result, bool | int | float):
            return result
        if hasattr(result, "__cuda_array_interface__"):
            result = _numba.cuda.as_cuda_array(result).copy_to_host()
        elif hasattr(result, "copy_to_host"):
            result = result.copy_to_host()
        if not isinstance(result, np.ndarray | np.generic):
            raise no_conversion(result, "an object with __cuda_array_interface__")
        found = collected(np.asarray(result))
        return Collected(found.bits, self.sixteen_bits) if self.sixteen_bits and found.dtype == "<u2" else found

    def finish(self, results: Sequence[Any]) -> None:
        del results
        _numba.cuda.synchronize()

    def write_back(self) -> None:
        for storage, memory in self.copies:
            if storage.size:
                memory.copy_to_host(storage)
        self.copies.clear()
        self.sixteen_bits = ""
