"""Numbers and arrays as Python source that gives the same bits back."""

from __future__ import annotations

import base64
import json
import math
import textwrap
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# So many elements a person can read; what is larger is written as a constant with a few exceptions, or packed.
LARGEST_LITERAL = 48
MOST_EXCEPTIONS = 12
WIDTH = 100


def number(value: Any) -> str:
    """A Python expression for a number or an option's value; `nan` and `inf` are names that the script imports."""
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, np.float32):
        value = float(str(value))
    plain = value.item() if isinstance(value, np.generic) else value
    if not isinstance(plain, float) or math.isfinite(plain):
        return repr(plain)
    return "nan" if math.isnan(plain) else ("inf" if plain > 0 else "-inf")


def nested(values: Array) -> str | None:
    """The values as nested lists; None where they are none or too many, or where a NaN has a payload that a literal would lose."""
    if not 0 < values.size <= LARGEST_LITERAL or not _survives(values):
        return None
    return _rows(values, indent=4)


def _survives(values: Array) -> bool:
    if values.dtype.kind in "iub":
        return True
    again = np.array([float(number(value)) for value in values.reshape(-1)]).astype(values.dtype)
    return again.tobytes() == values.tobytes()


def _rows(values: Array, indent: int) -> str:
    if values.ndim == 0:
        return number(values[()])
    parts = [_rows(part, indent + 4) for part in values]
    flat = f"[{', '.join(parts)}]"
    if len(flat) + indent <= WIDTH and "\n" not in flat:
        return flat
    margin = " " * indent
    if values.ndim == 1:
        body = textwrap.fill(", ".join(parts), WIDTH, initial_indent=margin, subsequent_indent=margin)
    else:
        body = ",\n".join(margin + part for part in parts)
    return f"[\n{body},\n{margin[4:]}]"


@dataclass(frozen=True)
class MostlyConstant:
    """An array of one value but for a few exceptions: index -> value."""

    fill: str
    exceptions: dict[tuple[int, ...], str]


def mostly_constant(values: Array) -> MostlyConstant | None:
    """The array as a constant with exceptions; None where there are too many. The constant is what stands first, last or in the middle."""
    if not values.size:
        return None
    flat = np.ascontiguousarray(values).reshape(-1)
    bits = flat.view(f"u{values.itemsize}")
    for place in (0, values.size - 1, values.size // 2):
        others = np.flatnonzero(bits != bits[place])
        if others.size <= MOST_EXCEPTIONS and _survives(flat[[place]]) and _survives(flat[others]):
            where = [tuple(int(i) for i in np.unravel_index(position, values.shape)) for position in others]
            return MostlyConstant(number(flat[place]), {index: number(values[index]) for index in where})
    return None


def packed(values: Array) -> str:
    """A bytes expression that gives the values in C order; the script imports base64 and zlib."""
    text = base64.b64encode(zlib.compress(values.tobytes(), 9)).decode("ascii")
    if len(text) <= WIDTH - 40:
        return f'zlib.decompress(base64.b64decode("{text}"))'
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(text, WIDTH))
    return f"zlib.decompress(base64.b64decode(\n{lines}\n))"
