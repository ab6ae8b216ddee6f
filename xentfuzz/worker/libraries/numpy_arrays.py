"""Host arrays: NumPy's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.worker.libraries.library import ArrayLibrary, Collected, Number, Unsupported, Unusable, no_conversion


def host_view(array: StridedArray) -> np.ndarray[Any, Any]:
    """Raises Unsupported for bfloat16 where ml_dtypes is not installed."""
    try:
        return array.view()
    except ImportError as error:
        raise Unsupported(f"{array.dtype} needs ml_dtypes: {error}") from None


def collected(array: np.ndarray[Any, Any]) -> Collected:
    """Raises Unusable for an array of anything but numbers."""
    if array.dtype.kind not in "biufc" and array.dtype.name != "bfloat16":
        raise Unusable(f"it returned an array of dtype {array.dtype}; wanted numbers")
    return Collected(array, array.dtype.name if array.dtype.kind == "V" else array.dtype.str)


def require_unmasked(result: Any) -> None:
    """Raises Unusable for an array of which some elements are declared not to be there."""
    if isinstance(result, np.ma.MaskedArray) and np.ma.is_masked(result):
        masked = int(np.count_nonzero(np.ma.getmaskarray(result)))
        raise Unusable(f"it returned a masked array, {masked} of its {result.size} elements masked; wanted a NumPy array")


class NumpyArrays(ArrayLibrary):
    def load(self, array: StridedArray) -> np.ndarray[Any, Any]:
        return host_view(array)

    def read(self, result: Any) -> Collected | Number:
        # Order matters: np.float64 is a Python float too, and np.bool is no Python bool.
        if isinstance(result, np.ndarray | np.generic):
            require_unmasked(result)
            return collected(np.asarray(result))
        if isinstance(result, bool | int | float):
            return result
        raise no_conversion(result, "a NumPy array")
