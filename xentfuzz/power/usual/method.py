"""One usual way of checking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xentfuzz.power.usual.case import Case


@dataclass(frozen=True)
class Method:
    """about: what is compared, and with which tolerance. source: where that is published. cases: makes what it compares, in its order."""

    name: str
    about: str
    source: str
    cases: Callable[[], Sequence[Case]]
