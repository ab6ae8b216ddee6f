"""Bits that must be the same in two results."""

from __future__ import annotations

import numpy as np

from xentfuzz.checks.protocol import Results
from xentfuzz.checks.trial import Array


def first_difference(before: Results, after: Results) -> tuple[str, str] | None:
    """The first output whose bits differ, and how in words; None where all are the same."""
    for output in before:
        one, other = np.asarray(before[output]), np.asarray(after[output])
        if one.shape != other.shape or one.dtype != other.dtype or one.tobytes() != other.tobytes():
            return output, _words(one, other)
    return None


def _words(one: Array, other: Array) -> str:
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"{one.dtype}{list(one.shape)}, then {other.dtype}{list(other.shape)}"
    width = one.dtype.itemsize
    differs = np.frombuffer(one.tobytes(), np.uint8).reshape(-1, width) != np.frombuffer(other.tobytes(), np.uint8).reshape(-1, width)
    places = np.flatnonzero(differs.any(axis=1))
    index = [int(position) for position in np.unravel_index(places[0], one.shape)]
    where = f" at {index}" if index else ""
    several = f", {places.size} of {one.size} elements" if places.size > 1 else ""
    return f"{float(one.reshape(-1)[places[0]])!r}, then {float(other.reshape(-1)[places[0]])!r}{where}{several}"
