"""The four floating-point formats, by name, with the constants that error bounds need. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

FLOAT_NAMES = ("float16", "bfloat16", "float32", "float64")
TARGET_NAMES = ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool")


@dataclass(frozen=True)
class FloatFormat:
    """Constants of a binary floating-point format.

    `unit_roundoff` is half the distance from 1 to the next number; `max`, `smallest_normal` and `smallest_subnormal` are values;
    `arithmetic` names the format that an implementation is obliged to compute in (float32 for 16-bit and float32 storage).
    """

    name: str
    bits: int
    precision: int
    unit_roundoff: float
    max: float
    smallest_normal: float
    smallest_subnormal: float
    arithmetic: str


def _format(name: str, bits: int, precision: int, max_exponent: int, arithmetic: str) -> FloatFormat:
    smallest_normal = 2.0 ** (2 - max_exponent)
    return FloatFormat(
        name=name,
        bits=bits,
        precision=precision,
        unit_roundoff=2.0**-precision,
        max=(2.0 - 2.0 ** (1 - precision)) * 2.0 ** (max_exponent - 1),
        smallest_normal=smallest_normal,
        smallest_subnormal=smallest_normal * 2.0 ** (1 - precision),
        arithmetic=arithmetic,
    )


FORMATS = {
    "float16": _format("float16", 16, 11, 16, "float32"),
    "bfloat16": _format("bfloat16", 16, 8, 128, "float32"),
    "float32": _format("float32", 32, 24, 128, "float32"),
    "float64": _format("float64", 64, 53, 1024, "float64"),
}


@cache
def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype called `name`; bfloat16 is `ml_dtypes.bfloat16`. Raises ImportError without ml_dtypes."""
    wanted: Any = name
    if name == "bfloat16":
        import ml_dtypes  # noqa: PLC0415 - a worker in another interpreter may lack it and never need it

        wanted = ml_dtypes.bfloat16
    found: np.dtype[Any] = np.dtype(wanted)
    return found


def dtype_name(dtype: Any) -> str:
    """The name of a NumPy dtype or of what `np.dtype` accepts: "bfloat16" for ml_dtypes' (kind "V") too."""
    return str(np.dtype(dtype).name)
