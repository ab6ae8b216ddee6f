"""Host arrays: NumPy's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected, Number, Unsupported, no_conversion


def host_view(array: StridedArray) -> np.ndarray[Any, Any]:
    """Raises Unsupported for bfloat16 where ml_dtypes is not installed."""
    try:
        return array.view()
    except ImportError as error:
        raise Unsupported(f"{array.dtype} needs ml_dtypes: {error}") from None


def collected(array: np.ndarray[Any, Any]) -> Collected:
    """Raises TypeError for an array of Python objects."""
    if array.dtype.hasobject:
        raise TypeError(f"it returned an array of dtype {array.dtype}; wanted numbers")
    return Collected(array, array.dtype.name if array.dtype.kind == "V" else array.dtype.str)


class NumpyArrays(ArrayLibrary):
    def load(self, array: StridedArray) -> np.ndarray[Any, Any]:
        return host_view(array)

    def collect(self, result: Any) -> Collected | Number:
        # Order matters: np.float64 is a Python float too, and np.bool is no Python bool.
        if isinstance(result, np.ndarray | np.generic):
            return collected(np.asarray(result))
        if isinstance(result, bool | int | float):
            return result
        raise no_conversion(result, "a NumPy array")
