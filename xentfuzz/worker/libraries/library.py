"""What an array library must be able to do for the harness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.worker.texts import message_of


class Unsupported(Exception):
    """The library or the implementation has no such array, dtype or parameter; the message says which. Never a finding."""


@dataclass(frozen=True, eq=False)
class Collected:
    """A result in host memory. `bits` may be of another dtype of the same width: `dtype` is its name, or NumPy's code for it."""

    bits: np.ndarray[Any, Any]
    dtype: str


Number = bool | int | float
# Of Python's whole numbers, which have no limit.
LARGEST_WHOLE = 1 << 63
# Calls the implementation with some of its arrays replaced, by name.
Invoke = Callable[[Mapping[str, Any]], Any]


class Unusable(TypeError):
    """What an implementation returned is no array of numbers that can be judged: no refusal, whatever it was called with.

    kind: of the finding, "dtype", or "shape" for one that is far too large.
    """

    def __init__(self, message: str, kind: str = "dtype") -> None:
        super().__init__(message)
        self.kind = kind


# Beyond any result of the contract: at most the logits' size, in the widest dtype. Small calls may pad.
LARGEST_GROWTH, LARGEST_PADDING = 16, 1 << 26


class ArrayLibrary:
    """The defaults are those of a library without automatic differentiation whose arrays are views of what they were loaded from.

    largest_result: in bytes, where arguments are known; what is larger is not copied but named.
    """

    largest_result: int | None = None

    def note_arguments(self, arrays: Mapping[str, StridedArray]) -> None:
        """What the results of the next call are measured by."""
        self.largest_result = LARGEST_PADDING + LARGEST_GROWTH * sum(array.storage.size for array in arrays.values())

    def require_device(self) -> None:
        """Raises UsageError, in one line, where no array can be held on the device, or on any that the library needs."""

    def load(self, array: StridedArray) -> Any:
        """The library's array over the same memory (a copy where it has memory of its own), with the same layout.

        Raises Unsupported where the library cannot hold it.
        """
        raise NotImplementedError

    def collect(self, result: Any) -> Collected | Number:
        """A result in host memory; a Python number stays one. Raises Unusable for anything else."""
        try:
            found = self.read(result)
        except (Unusable, MemoryError):
            raise
        except Exception as error:
            raise Unusable(f"what it returned can't be read: {type(error).__name__}: {message_of(error)}") from error
        return self._sized(found) if isinstance(found, Collected) else _plain_number(found)

    def _sized(self, found: Collected) -> Collected:
        if self.largest_result is not None and found.bits.nbytes > self.largest_result:
            raise Unusable(f"it returned an array of shape {found.bits.shape}, {found.bits.nbytes} bytes", kind="shape")
        return found

    def read(self, result: Any) -> Collected | Number:
        """The same without regard to its size; may raise anything."""
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


def no_conversion(result: Any, wanted: str) -> Unusable:
    return Unusable(f"it returned a {type(result).__module__}.{type(result).__qualname__}; wanted {wanted}")


def require_shape(found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Raises Unusable where a value can't be differentiated for an upstream gradient, since it has not the shape that it should."""
    if found != wanted:
        raise Unusable(f"value has shape {found}, wanted {wanted}", kind="shape")


def _plain_number(number: Number) -> Number:
    """Without what a subclass may have added. Raises Unusable for a whole number that no format holds."""
    if isinstance(number, bool):
        return bool(number)
    if isinstance(number, float):
        return float(number)
    if abs(number) >= LARGEST_WHOLE:
        raise Unusable("it returned a Python int that no format holds; wanted an array")
    return int(number)
