"""An array as storage plus a view of it, so that a layout survives a trip to another process or library. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xentfuzz.dtypes import dtype_name, numpy_dtype


@dataclass(frozen=True)
class StridedArray:
    """A view into a flat byte buffer.

    `storage` is a one-dimensional uint8 array; `offset` and `strides` are in bytes (strides may be zero or negative), `dtype` is a
    name from `xentfuzz.dtypes`. The storage may be larger than what the view covers.
    """

    storage: np.ndarray[Any, np.dtype[np.uint8]]
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0
    writeable: bool = True

    @staticmethod
    def of(values: np.ndarray[Any, Any]) -> StridedArray:
        """A C-contiguous copy of `values`."""
        copy = np.array(values, order="C", copy=True, ndmin=0)
        storage = copy.reshape(-1).view(np.uint8) if copy.size else np.zeros(0, np.uint8)
        return StridedArray(storage, dtype_name(values.dtype), copy.shape, copy.strides)

    def view(self) -> np.ndarray[Any, Any]:
        """The NumPy array, sharing memory with `storage`; not writeable where `writeable` is False."""
        dtype = numpy_dtype(self.dtype)
        # NumPy refuses an offset at the end of an empty buffer, which an empty array may well have.
        if 0 in self.shape:
            array: np.ndarray[Any, Any] = np.empty(self.shape, dtype)
        else:
            array = np.ndarray(self.shape, dtype, buffer=self.storage.data, offset=self.offset, strides=self.strides)
        array.flags.writeable = self.writeable
        return array

    def fresh(self) -> StridedArray:
        """The same view of a copy of the storage: what is handed to code that may write into it."""
        return StridedArray(self.storage.copy(), self.dtype, self.shape, self.strides, self.offset, self.writeable)


def fresh_arrays(arrays: Mapping[str, StridedArray]) -> dict[str, StridedArray]:
    """The same views of copies of the storages: what shares memory with another one shares it still."""
    copies = {id(array.storage): array.storage.copy() for array in arrays.values()}
    return {name: replace(array, storage=copies[id(array.storage)]) for name, array in arrays.items()}
