"""Random arguments as the usual ways draw them: normal logits, uniform class indices."""

from __future__ import annotations

import numpy as np

from xentfuzz.dtypes import numpy_dtype
from xentfuzz.power.usual.case import Array

Random = np.random.Generator
# Logits of one case at most: where a suite has more, rows are left out, never classes.
LOGITS = 400_000
INDEX = np.int64


def normals(random: Random, shape: tuple[int, ...], dtype: str = "float32", scale: float = 1.0) -> Array:
    return (random.standard_normal(shape, np.float32) * np.float32(scale)).astype(numpy_dtype(dtype))


def uniforms(random: Random, shape: tuple[int, ...], dtype: str = "float32") -> Array:
    """In [0, 1)."""
    return random.random(shape, np.float32).astype(numpy_dtype(dtype))


def labels(random: Random, classes: int, shape: tuple[int, ...]) -> Array:
    return random.integers(0, classes, shape, INDEX)


def some_ignored(random: Random, target: Array, count: int, ignore_index: int) -> Array:
    """A copy of a (N,) target in which `count` labels are `ignore_index`."""
    changed = target.copy()
    changed[random.permutation(len(target))[:count]] = ignore_index
    return changed


def kept_rows(rows: int, classes: int, most: int = LOGITS) -> int:
    """How many of a suite's rows are drawn; of a power of two a power of two, as rows left over from a block would be another test."""
    kept = max(1, min(rows, most // classes))
    return 1 << (kept.bit_length() - 1) if rows & (rows - 1) == 0 else kept
