"""One concrete input: arrays and options of one call. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray


@dataclass(frozen=True, eq=False)
class Case:
    """The arguments of one call of an operation.

    arrays: argument name -> array; "weight" is absent where no weight is given, "grad_output" is present wherever a gradient may be
    asked for.
    options: every option by name with its value, defaults included ("axis" for softmax; "reduction", "ignore_index", ... for the losses).
    dtype: the name of the first argument's floating-point format.
    """

    operation: str
    dtype: str
    arrays: Mapping[str, StridedArray]
    options: Mapping[str, Any]

    @cached_property
    def values(self) -> dict[str, np.ndarray[Any, Any]]:
        """argument name -> read-only NumPy view, in the array's own dtype and logical shape."""
        views = {name: array.view() for name, array in self.arrays.items()}
        for view in views.values():
            view.flags.writeable = False
        return views
