"""How the kernels see the four floating-point formats: width in memory, and the format in which they compute."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

VECTOR = 16  # bytes that one instruction loads at most
LOG2_E = 1.4426950408889634


@dataclass(frozen=True)
class Format:
    """A storage format. real: NumPy's type of the arithmetic, float64 for float64 alone. storage: the dtype under which memory is held."""

    name: str
    size: int
    real: Any
    storage: Any

    @property
    def per_vector(self) -> int:
        """Elements in a vector of 16 bytes."""
        return VECTOR // self.size

    @property
    def lowest(self) -> Any:
        """The least finite number of the arithmetic: a maximum over nothing, from which any logit has a distance that is a number."""
        return self.real(np.finfo(self.real).min)

    @property
    def log2_e(self) -> Any:
        return self.real(LOG2_E)

    @property
    def nan(self) -> Any:
        return self.real(math.nan)


FORMATS = {
    "float16": Format("float16", 2, np.float32, np.float16),
    "bfloat16": Format("bfloat16", 2, np.float32, np.uint16),
    "float32": Format("float32", 4, np.float32, np.float32),
    "float64": Format("float64", 8, np.float64, np.float64),
}

# Integer dtype of a target -> its code for the kernels: bytes, negative where signed.
INDEX_KINDS = {
    "bool": 1,
    "uint8": 1,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
    "int8": -1,
    "int16": -2,
    "int32": -4,
    "int64": -8,
}
