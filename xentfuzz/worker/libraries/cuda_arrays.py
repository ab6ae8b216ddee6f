"""Device arrays with `__cuda_array_interface__`, over memory of Numba's; plain fake device arrays in Numba's simulator.

That interface has no code for bfloat16: it is V2, as in .npy files, or uint16 where a kernel returns it so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numba
import numba.cuda
import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.errors import UsageError
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected, Number, Unsupported, no_conversion
from xentfuzz.worker.libraries.numpy_arrays import collected

# Typed only in parts, differently from version to version.
_numba: Any = numba


def _code(dtype: str) -> str:
    return "<V2" if dtype == "bfloat16" else np.dtype(dtype).str


def _width(dtype: str) -> int:
    return np.dtype(_code(dtype)).itemsize


def _in_simulator(array: StridedArray) -> StridedArray:
    """The simulator's kernels take NumPy's own dtypes: bfloat16 as uint16, as Numba's CPU kernels do."""
    return replace(array, dtype="uint16") if array.dtype == "bfloat16" else array


class _Interface:
    """An array as Numba can take it: bfloat16 as uint16."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        interface = owner.__cuda_array_interface__
        opaque = np.dtype(interface["typestr"]).kind == "V"
        self.__cuda_array_interface__ = {**interface, "typestr": "<u2"} if opaque else interface


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
        self.bfloat16 = False

    def require_device(self) -> None:
        if not _numba.cuda.is_available():
            raise UsageError("arrays in CUDA memory need a CUDA device, and none can be used here; NUMBA_ENABLE_CUDASIM=1 simulates one")

    def load(self, array: StridedArray) -> Any:
        self.bfloat16 = self.bfloat16 or array.dtype == "bfloat16"
        if _numba.config.ENABLE_CUDASIM:
            return _numba.cuda.simulator.cudadrv.devicearray.FakeCUDAArray(_in_simulator(array).view())
        if array.offset % _width(array.dtype):
            raise Unsupported("device memory is read at aligned addresses only")
        memory = _numba.cuda.to_device(array.storage if array.storage.size else np.zeros(1, np.uint8))
        self.copies.append((array.storage, memory))
        return DeviceArray(memory, array)

    def read(self, result: Any) -> Collected | Number:
        if isinstance(result, bool | int | float):
            return result
        if hasattr(result, "__cuda_array_interface__"):
            result = _numba.cuda.as_cuda_array(_Interface(result)).copy_to_host()
        elif hasattr(result, "copy_to_host"):
            result = result.copy_to_host()
        if not isinstance(result, np.ndarray | np.generic):
            raise no_conversion(result, "an object with __cuda_array_interface__")
        found = collected(np.asarray(result))
        return Collected(found.bits, "bfloat16") if self.bfloat16 and found.dtype == "<u2" else found

    def finish(self, results: Sequence[Any]) -> None:
        del results
        _numba.cuda.synchronize()

    def write_back(self) -> None:
        for storage, memory in self.copies:
            if storage.size:
                memory.copy_to_host(storage)
        self.copies.clear()
        self.bfloat16 = False
