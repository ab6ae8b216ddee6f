"""Tiny calls for the probe: one argument or option away from a call that works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.dtypes import numpy_dtype
from xentfuzz.operations.operation import Argument, Operation
from xentfuzz.recipes.layouts import lay_out
from xentfuzz.recipes.shapes import shape_along
from xentfuzz.subjects.outcome import Call

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sample:
    """rank: of the first argument; scale: of its values. options: beside the defaults; layout: of every array.

    upstream: (shape, dtype) of the value.
    """

    operation: Operation
    function: str = "forward"
    dtype: str = "float32"
    rank: int = 2
    targets: str = "index"
    target_dtype: str = "int64"
    weight: bool = False
    layout: str = "contiguous"
    classes: int = 5
    rows: int = 3
    scale: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)
    upstream: tuple[tuple[int, ...], str] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.classes,) if self.rank == 1 else (self.rows, self.classes, *(2,) * (self.rank - 2))

    def elsewhere(self, most_rows: int | None = None, most_classes: int | None = None) -> list[Sample]:
        """The same feature at other shapes, sizes and values, within what may be given."""
        times = [factor if most_classes is None else max(min(factor, most_classes // self.classes), 1) for factor in (3, 7)]
        # Of a single row many layouts are none of their own.
        wanted = (1 if self.layout == "contiguous" else 2, 17)
        few, many = (rows if most_rows is None else max(min(rows, most_rows // self._positions_of_a_row), 1) for rows in wanted)
        return [
            self._resized(rows=few, classes=times[0] * self.classes, scale=4.0),
            self._resized(rows=many, classes=times[1] * self.classes, scale=0.5),
        ]

    @property
    def _positions_of_a_row(self) -> int:
        """Rows that one more along the first axis adds."""
        return 1 << max(self.rank - 2, 0)

    def _resized(self, *, rows: int, classes: int, scale: float) -> Sample:
        made = replace(self, rows=rows, classes=classes, scale=scale)
        if self.upstream is None or not self.upstream[0]:
            return made
        shape, dtype = self.upstream
        return replace(made, upstream=(made.shape if shape == self.shape else (rows, *shape[1:]), dtype))

    def call(self) -> Call:
        arrays = {argument.name: self._array(argument) for argument in self.operation.arguments if self.weight or not argument.optional}
        if self.upstream is not None:
            shape, dtype = self.upstream
            arrays["grad_output"] = self._laid_out(np.ones(shape, numpy_dtype(dtype)))
        return Call(self.function, arrays, {**self.operation.defaults, **self.options})

    def _array(self, argument: Argument) -> StridedArray:
        if argument == self.operation.target:
            return self._laid_out(self._target())
        if argument == self.operation.weight:
            return self._laid_out(np.linspace(0.5, 1.5, self.classes).astype(numpy_dtype(self.dtype)))
        if argument.axes:
            sizes = {axis: 2 + number for number, axis in enumerate(self.operation.further_axes)}
            shape = shape_along(argument.axes, self.operation, self.shape, sizes)
            return self._laid_out((self._ramp(shape) * self.scale).astype(numpy_dtype(self.dtype)))
        # Negative throughout, so that log-probabilities look like some.
        return self._laid_out((-self._ramp(self.shape) * self.scale).astype(numpy_dtype(self.dtype)))

    def _laid_out(self, values: Array) -> StridedArray:
        return lay_out(values, self.layout)

    def _target(self) -> Array:
        if self.targets == "probabilities":
            return self._ramp(self.shape)
        shape = self.shape[:1] + self.shape[2:] if self.rank > 1 else ()
        return (np.arange(int(np.prod(shape))) % min(self.classes, 2)).reshape(shape).astype(self.target_dtype)

    def _ramp(self, shape: tuple[int, ...]) -> Array:
        return ((1 + np.arange(int(np.prod(shape))) % 7) / 8).reshape(shape).astype(numpy_dtype(self.dtype))
