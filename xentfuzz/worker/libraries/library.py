"""What an array library must be able to do for the harness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray


class Unsupported(Exception):
    """The library or the implementation has no such array, dtype or parameter; the message says which. Never a finding."""


@dataclass(frozen=True, eq=False)
class Collected:
    """A result in host memory. `bits` may be of another dtype of the same width: `dtype` is its name, or NumPy's code for it."""

    bits: np.ndarray[Any, Any]
    dtype: str


Number = bool | int | float
# Calls the implementation with some of its arrays replaced, by name.
Invoke = Callable[[Mapping[str, Any]], Any]


class ArrayLibrary:
    """The defaults are those of a library without automatic differentiation whose arrays are views of what they were loaded from."""

    def require_device(self) -> None:
        """Raises UsageError, in one line, where no array can be held on the device, or on any that the library needs."""

    def load(self, array: StridedArray) -> Any:
        """The library's array over the same memory (a copy where it has memory of its own), with the same layout.

        Raises Unsupported where the library cannot hold it.
        """
        raise NotImplementedError

    def collect(self, result: Any) -> Collected | Number:
        """A result in host memory; a Python number stays one. Raises TypeError for anything else."""
        raise NotImplementedError

    def gradients(self, invoke: Invoke, arrays: Mapping[str, Any], wanted: Sequence[str], upstream: Any) -> dict[str, Any]:
        """Gradients by the library's autodiff. Raises Unsupported where it has none, LookupError where nothing depends on the first."""
        del invoke, arrays, wanted, upstream
        raise Unsupported("no backward, and its array library has no automatic differentiation")

    def second_gradients(self, invoke: Invoke, arrays: Mapping[str, Any], first: str, upstream: Any, vector: Any) -> tuple[Any, Any]:
        """The gradients of <vector, gradient of `first`> by `first` and by the upstream gradient; zeros where autodiff sees none."""
        del invoke, arrays, first, upstream, vector
        raise Unsupported("its array library has no automatic differentiation")

    def tangent(self, invoke: Invoke, arrays: Mapping[str, Any], first: str, vector: Any) -> Any:
        """The derivative of the result along `vector`, a direction of `first`, in forward mode."""
        del invoke, arrays, first, vector
        raise Unsupported("its array library has no automatic differentiation")

    def vectorised(self, invoke: Invoke, arrays: Mapping[str, Any], stacks: Mapping[str, Sequence[Any]]) -> Any:
        """The results for each of the arrays in `stacks`, the others being the same in all calls, by one call over a new leading axis."""
        del invoke, arrays, stacks
        raise Unsupported("its array library has no vmap")

    def finish(self, results: Sequence[Any]) -> None:
        """Wait until the results are there."""

    def write_back(self) -> None:
        """Copy arrays that live in the library's own memory back to where they were loaded from."""


def no_conversion(result: Any, wanted: str) -> TypeError:
    return TypeError(f"it returned a {type(result).__module__}.{type(result).__qualname__}; wanted {wanted}")
