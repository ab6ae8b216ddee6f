"""Random cases of all four operations over the regimes in which error bounds are strained, from a seed. Independent of recipes."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import FORMATS, numpy_dtype
from xentfuzz.operations import get_operation
from xentfuzz.operations.case import Case

Array = np.ndarray[Any, Any]
Generator = np.random.Generator

DTYPES = ("float16", "bfloat16", "float32", "float64")


def _swamp(random: Generator, rows: int, classes: int, dtype: str) -> Array:
    """One dominant class first, the others at the rounding unit of the accumulator: a sequential sum loses them all."""
    depth = -np.log(FORMATS[FORMATS[dtype].arithmetic].unit_roundoff)
    x = -(depth + random.uniform(-1, 1, (rows, 1)) + random.normal(0, 0.1, (rows, classes)))
    x[:, 0] = 0.0
    return x


def _dominant(random: Generator, rows: int, classes: int) -> Array:
    x = random.normal(0, 1, (rows, classes))
    x[np.arange(rows), random.integers(0, classes, rows)] += random.uniform(4, 70, rows)
    return x


def _outliers(random: Generator, rows: int, classes: int) -> Array:
    x = random.uniform(-1, 1, (rows, classes))
    return np.where(random.random(x.shape) < 0.1, x * 50, x)


def logits(random: Generator, regime: str, rows: int, classes: int, dtype: str) -> Array:
    """(rows, classes), float64."""
    normal = random.normal(0, 1, (rows, classes))
    made = {
        "tiny": lambda: normal * 0.01,
        "ordinary": lambda: normal,
        "wide": lambda: normal * 10,
        "very wide": lambda: normal * 100,
        "huge": lambda: normal * 1e4,
        "near ties": lambda: 3 + normal * 1e-3,
        "exact ties": lambda: random.integers(-2, 3, normal.shape).astype(float),
        "dominant": lambda: _dominant(random, rows, classes),
        "offset 100": lambda: normal + 100,
        "offset -1000": lambda: normal - 1000,
        "offset 8000": lambda: normal + 8000,
        "ascending": lambda: np.sort(normal * 3, axis=1),
        "descending": lambda: -np.sort(normal * 3, axis=1),
        "outliers": lambda: _outliers(random, rows, classes),
        "swamp": lambda: _swamp(random, rows, classes, dtype),
        "constant": lambda: np.full((rows, classes), float(random.normal() * 5)),
    }
    return made[regime]()


REGIMES = (
    *("tiny", "ordinary", "wide", "very wide", "huge", "near ties", "exact ties", "dominant", "offset 100", "offset -1000", "offset 8000"),
    *("ascending", "descending", "outliers", "swamp", "constant"),
)


def weights(random: Generator, classes: int, dtype: str) -> Array:
    if random.random() < 0.5:
        return random.uniform(0.1, 2, classes)
    decades = 3 if dtype == "float16" else 6
    return 10.0 ** random.uniform(-decades, decades, classes)


def probabilities(random: Generator, rows: int, classes: int) -> Array:
    kind = random.integers(4)
    if kind == 0:
        one_hot = np.zeros((rows, classes))
        one_hot[np.arange(rows), random.integers(0, classes, rows)] = 1
        return one_hot
    dense = random.random((rows, classes))
    if kind == 1:
        return dense / dense.sum(axis=1, keepdims=True)
    return dense * 3 if kind == 2 else random.normal(0, 1, (rows, classes))


def _shape(random: Generator, largest: int) -> tuple[int, ...]:
    classes = int(random.choice([1, 2, 3, 5, 8, 16, 17, 33, 64, 100, 257, 1000]))
    classes = min(classes, largest)
    most = max(1, min(64, largest // classes))
    shapes = [(classes,), (most,), (int(random.integers(1, most + 1)), classes), (2, classes, 3), (2, classes, 2, 2)]
    chosen = shapes[random.choice([0, 2, 2, 2, 3, 4])]
    return tuple(int(n) for n in chosen)


def _upstream(random: Generator, shape: tuple[int, ...], dtype: str) -> StridedArray:
    kind = random.integers(3)
    values = np.ones(shape) if kind == 0 else random.normal(0, 1, shape) * (1.0 if kind == 1 else 100.0)
    return stored(values, dtype)


def stored(values: Any, dtype: str) -> StridedArray:
    return StridedArray.of(np.asarray(np.asarray(values).astype(numpy_dtype(dtype))))


def random_case(seed: int, operation: str, dtype: str, *, largest: int = 2000, regime: str | None = None) -> tuple[Case, str]:
    """A case and the regime of its first argument."""
    random = np.random.default_rng([seed, DTYPES.index(dtype)])
    regime = regime or str(random.choice(REGIMES))
    shape = _shape(random, largest)
    return case_of(random, operation, dtype, shape, regime), regime


def case_of(random: Generator, operation: str, dtype: str, shape: tuple[int, ...], regime: str) -> Case:
    """A case of this shape: the class axis is 0 for rank 1 and 1 otherwise, or a random one for the softmaxes."""
    spec = get_operation(operation)
    normalised = operation.endswith("softmax")
    axis = int(random.integers(len(shape))) if normalised else min(1, len(shape) - 1)
    positions = shape[:axis] + shape[axis + 1 :]
    rows, classes = int(np.prod(positions)), shape[axis]

    def spread(values: Array) -> Array:
        return np.moveaxis(values.reshape(*positions, classes), -1, axis)

    x = logits(random, regime, rows, classes, dtype)
    if FORMATS[dtype].max < 1e6:
        x = np.clip(x, -6e4, 6e4)
    if normalised:
        arrays = {"logits": stored(spread(x), dtype), "grad_output": _upstream(random, shape, dtype)}
        return Case(operation, dtype, arrays, {"axis": axis - len(shape) if random.random() < 0.5 else axis})
    options: dict[str, Any] = {**spec.defaults, "reduction": str(random.choice(["mean", "sum", "none"]))}
    arrays = {spec.arguments[0].name: stored(spread(x), dtype)}
    index = operation == "nll_loss" or random.random() < 0.6
    if index:
        labels = random.integers(0, classes, rows)
        if regime == "swamp":
            labels[:] = 0
        if random.random() < 0.3:
            labels[random.random(rows) < 0.3] = -100
            labels[0] = max(labels[0], 0)
        arrays["target"] = StridedArray.of(labels.reshape(positions))
    else:
        arrays["target"] = stored(spread(probabilities(random, rows, classes)), dtype)
    if random.random() < 0.35:
        arrays["weight"] = stored(weights(random, classes, dtype), dtype)
    if operation == "cross_entropy":
        options["label_smoothing"] = float(random.choice([0.0, 0.0, 0.001, 0.1, 0.3, 0.9, 1.0]))
    loss_shape = positions if options["reduction"] == "none" else ()
    arrays["grad_output"] = _upstream(random, loss_shape, dtype)
    return Case(operation, dtype, arrays, options)
