"""Where the classes of a first argument lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xentfuzz.operations.rows import Rows, loss_rows


def class_rows(shape: tuple[int, ...], options: Mapping[str, Any]) -> Rows:
    """The rows of a first argument of that shape: along the option `axis` where there is one, else as losses have them."""
    if "axis" in options:
        return Rows(shape, options["axis"] % len(shape))
    return loss_rows(shape)
