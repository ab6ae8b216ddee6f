"""One call of cross entropy, written down by hand. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.dtypes import numpy_dtype

Array = np.ndarray[Any, Any]
# Nested lists, or a function that makes an array of a size or layout that lists cannot say.
Values = Any


@dataclass(frozen=True, eq=False)
class Call:
    """logits, target, weight, grad_output: nested lists, or functions without arguments that make arrays.

    Lists of floats become arrays of `dtype`, lists of integers targets of `target_dtype`. options: what differs from the defaults.
    """

    logits: Values
    target: Values
    weight: Values
    grad_output: Values
    dtype: str
    target_dtype: str
    options: dict[str, Any]

    def arguments(self) -> dict[str, Any]:
        """Fresh arrays and the options, as `forward` takes them."""
        floating, index = numpy_dtype(self.dtype), np.dtype(self.target_dtype)
        logits, target = _array(self.logits, floating), _array(self.target, None)
        target = _array(self.target, floating if target.shape == logits.shape and target.dtype.kind == "f" else index)
        weight = {} if self.weight is None else {"weight": _array(self.weight, floating)}
        return {"logits": logits, "target": target, **weight, **self.options}

    def upstream(self, loss: Array) -> Array:
        """The upstream gradient for a loss; ones where none is written down."""
        return np.ones_like(loss) if self.grad_output is None else _array(self.grad_output, numpy_dtype(self.dtype))


def call(
    logits: Values,
    target: Values,
    *,
    weight: Values = None,
    grad_output: Values = None,
    dtype: str = "float32",
    target_dtype: str = "int64",
    **options: Any,
) -> Call:
    """A Call; `options` are ignore_index, reduction and label_smoothing."""
    return Call(logits, target, weight, grad_output, dtype, target_dtype, options)


def _array(values: Values, dtype: np.dtype[Any] | None) -> Array:
    """What a function makes is taken as it is, layout included, but for its dtype."""
    if not callable(values):
        return np.array(values, dtype)
    made: Array = values()
    return made if dtype is None or made.dtype == dtype else made.astype(dtype)
