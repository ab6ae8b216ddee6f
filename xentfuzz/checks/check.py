"""A check: a named property of an implementation, and the trial of one case that it looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xentfuzz.checks.trial import Trial
from xentfuzz.errors import require_known
from xentfuzz.implementation import Implementation
from xentfuzz.operations.operation import TRAITS
from xentfuzz.subjects.capabilities import Capabilities

COSTS = {
    "call": "a call or a few",
    "relation": "a few calls, and the bounds of each",
    "protocol": "dozens of calls",
    "costly": "a tenth of a second or more",
    "compiler": "seconds of a compiler",
    "large": "hundreds of thousands of elements",
    "huge": "gigabytes, and minutes",
    "device": "gigabytes, on a device that is fast",
}


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
    explanation: what it demands and why. traits: of `xentfuzz.operations.operation.TRAITS`, what
    an operation must have of them.
    applies: (capabilities, implementation) -> why it can't be run, or None.
    draws: fields of the Space that limit what its cases are drawn from, so that few of them are drawn in vain.
    directed: whether the search towards a larger error / allowed error is worth it.
    libraries: the array libraries that it is about, None for all; implementations in others don't list it at all.
    hazardous: whether its calls may damage the process, so that it is run after the others of its dtype and a damaged worker is given up.
    cost: how much one case costs, which is what a profile has its number of cases by (see COSTS).
    device_cost: the same on another device than the CPU, where it differs.
    isolated_only: whether it needs a worker of its own, because it changes the process.
    only_dtype: the one dtype of those that an implementation takes in which it is tried; None: all of them.
    """

    name: str
    family: str
    judge: Callable[[Trial], Measure]
    explanation: str
    traits: tuple[str, ...] = ()
    applies: Callable[[Capabilities, Implementation], str | None] = lambda *_: None
    draws: Mapping[str, Any] = field(default_factory=dict)
    directed: bool = False
    hazardous: bool = False
    libraries: tuple[str, ...] | None = None
    cost: str = "call"
    device_cost: str | None = None
    isolated_only: bool = False
    only_dtype: Callable[[Capabilities], str] | None = None

    def __post_init__(self) -> None:
        # A profile would give a check of an unknown cost as many cases as one that costs a call.
        require_known("cost of a check", (self.cost, self.device_cost or self.cost), COSTS)
        require_known("trait of an operation", self.traits, TRAITS)

    def passes_over(self, dtype: str, capabilities: Capabilities) -> str | None:
        """Why it is not tried in a dtype, or None."""
        # Where every call was refused there is no dtype to choose from.
        only = dtype if self.only_dtype is None or not capabilities.dtypes else self.only_dtype(capabilities)
        return None if dtype == only else f"tried in {only} only"

    def concerns(self, array: str) -> bool:
        """Whether it is about implementations in this array library."""
        return self.libraries is None or array in self.libraries

    def cost_on(self, device: str) -> str:
        """What a case costs on a device."""
        return self.cost if device == "cpu" or self.device_cost is None else self.device_cost
