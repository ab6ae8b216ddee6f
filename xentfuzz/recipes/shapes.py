"""Where the classes of a first argument lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xentfuzz.operations.rows import Rows, class_axis


def class_rows(shape: tuple[int, ...], options: Mapping[str, Any]) -> Rows:
    """The rows of a first argument of that shape: along the option `axis` where there is one, else as losses have them."""
    return Rows(shape, class_axis(shape, options))
