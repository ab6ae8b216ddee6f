"""A check: a named property of an implementation, and the trial of one case that it looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from xentfuzz.checks.trial import Trial


@dataclass
class Measure:
    """What a check that passed measured on one case. compared: False where nothing could be compared (then the case is unsupported).

    ratio: the largest error / allowed error; ulp: that error in units in the last place; policies: (policy, outcome) pairs seen.
    """

    compared: bool = True
    ratio: float = 0.0
    ulp: float = 0.0
    policies: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Check:
    """name: snake_case. family: the kind of input it is run on (see `xentfuzz.recipes.space.FAMILIES`).

    judge: raises a Failure, or returns a Measure; raises `Unsupported` where the case is outside what the implementation takes.
    operations: names, None for all. applies: whether the implementation has what it needs (capabilities, implementation) -> reason or None.
    narrow: limits the space that its cases are drawn from. explanation: what it demands and why.
    """

    name: str
    family: str
    judge: Callable[[Trial], Measure]
    explanation: str
    operations: tuple[str, ...] | None = None
    applies: Callable[..., str | None] = lambda *_: None
    narrow: Callable[[Any], Any] = lambda space: space

    def named(self, name: str) -> Check:
        return replace(self, name=name)
