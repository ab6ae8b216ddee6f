"""Bits that must be the same in two results; which NaN a NaN is means nothing."""

from __future__ import annotations

import numpy as np

from xentfuzz.checks.protocol import Results
from xentfuzz.checks.trial import Array


def first_difference(before: Results, after: Results) -> tuple[str, str] | None:
    """The first output whose bits differ, and how in words; None where all are the same.

    The sign and the payload of a NaN are no part of a result: IEEE 754 leaves both to the order of operands, which an honest kernel may
    choose by where its arguments happen to lie.
    """
    for output in before:
        one, other = np.asarray(before[output]), np.asarray(after[output])
        if one.shape != other.shape or one.dtype != other.dtype:
            return output, f"{one.dtype}{list(one.shape)}, then {other.dtype}{list(other.shape)}"
        places = _differing(one, other)
        if places.size:
            return output, _words(one, other, places)
    return None


def _differing(one: Array, other: Array) -> Array:
    """The flat places of elements with other bits that are not both NaN."""
    if one.tobytes() == other.tobytes():
        return np.zeros(0, np.int64)
    differs = (_bytes(one) != _bytes(other)).any(axis=1)
    both_nan = _is_nan(one) & _is_nan(other)
    return np.flatnonzero(differs & ~both_nan)


def _bytes(array: Array) -> Array:
    return np.frombuffer(array.tobytes(), np.uint8).reshape(-1, array.dtype.itemsize)


def _is_nan(array: Array) -> Array:
    flat = array.reshape(-1)
    with np.errstate(all="ignore"):
        return np.asarray(flat != flat)  # noqa: PLR0124 - holds for every format, those that NumPy doesn't know too


def _words(one: Array, other: Array, places: Array) -> str:
    index = [int(position) for position in np.unravel_index(places[0], one.shape)]
    where = f" at {index}" if index else ""
    several = f", {places.size} of {one.size} elements" if places.size > 1 else ""
    first, then = (repr(float(array.reshape(-1)[places[0]])) for array in (one, other))
    if first == then:
        first, then = (f"{words} (bytes {_bytes(array)[places[0]].tobytes().hex()})" for words, array in ((first, one), (then, other)))
    return f"{first}, then {then}{where}{several}"
