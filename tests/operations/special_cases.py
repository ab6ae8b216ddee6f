"""Random cases with infinities, NaN and the largest numbers put into them."""

from __future__ import annotations

from typing import Any

import numpy as np
from random_cases import random_case, stored

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FORMATS
from xentfuzz.operations.case import Case

Array = np.ndarray[Any, Any]
Generator = np.random.Generator


def _spoiled(random: Generator, x: Array, dtype: str) -> Array:
    """A few elements, or everything along the first axis, overwritten."""
    largest = FORMATS[dtype].max
    x = x.astype(np.float64)
    for _ in range(random.integers(5) if x.size else 0):
        value = random.choice([np.nan, np.inf, -np.inf, -np.inf, -np.inf, largest, -largest, 0.6 * largest, -0.7 * largest])
        index = tuple(random.integers(n) for n in x.shape)
        x[index[0] if x.ndim > 1 and random.random() < 0.2 else index] = value
    return x


def _spoiled_weight(random: Generator, weight: Array) -> Array:
    weight = weight.astype(np.float64)
    if random.random() < 0.5:
        weight[random.random(weight.shape) < 0.5] = random.choice([0.0, 0.0, -1.0])
    if random.random() < 0.1:
        weight[0] = random.choice([np.nan, np.inf])
    return weight


def _spoiled_target(random: Generator, target: StridedArray) -> StridedArray:
    values = target.view()
    if values.dtype.kind == "i":
        return StridedArray.of(np.full(values.shape, -100)) if random.random() < 0.2 else target
    return stored(np.where(random.random(values.shape) < random.choice([0.0, 0.5]), 0.0, values.astype(np.float64)), target.dtype)


def special_case(seed: int, operation: str, dtype: str, *, largest: int = 12) -> Case:
    """The random case of this seed, spoiled."""
    case, _ = random_case(seed, operation, dtype, largest=largest)
    random = np.random.default_rng([seed, 7])
    arrays = dict(case.arrays)
    first = next(iter(arrays))
    arrays[first] = stored(_spoiled(random, case.values[first], dtype), dtype)
    if "target" in arrays:
        arrays["target"] = _spoiled_target(random, arrays["target"])
    if "weight" in arrays:
        arrays["weight"] = stored(_spoiled_weight(random, case.values["weight"]), dtype)
    if random.random() < 0.2:
        arrays["grad_output"] = stored(np.zeros(case.values["grad_output"].shape), dtype)
    return Case(operation, dtype, arrays, case.options)
