"""A call of an implementation and what came of it. Standard library and NumPy only: both sides of a worker's pipe use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xentfuzz.arrays import StridedArray
from xentfuzz.implementation import FUNCTIONS

__all__ = ["FUNCTIONS", "Call", "Crash", "NoResult", "Outcome", "Raised"]


@dataclass(frozen=True, eq=False)
class Call:
    """function: of FUNCTIONS. arrays and options: as in a Case; options hold all values, those that differ from the default are passed.

    Or "protocol:NAME", with arrays and options as `xentfuzz.worker.protocols` wants them.
    seconds: a time limit of its own, None for that of the worker's limits.
    """

    function: str
    arrays: Mapping[str, StridedArray]
    options: Mapping[str, Any]
    seconds: float | None = None


@dataclass(frozen=True)
class Raised:
    """An exception of the subject: the names of its classes from the most derived on, its text, and the traceback's text."""

    types: tuple[str, ...]
    message: str
    traceback: str = ""

    def __str__(self) -> str:
        return f"{self.types[0]}: {self.message}"


@dataclass(frozen=True)
class Crash:
    """The worker did not survive the call. kind: of segfault, abort, exit, hang, out_of_memory, output_flood, worker_killed."""

    kind: str
    message: str


@dataclass(frozen=True)
class NoResult:
    """The call came back with what is no array of numbers. kind: of the finding, dtype or shape; message: what it is."""

    kind: str
    message: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a call gave: exactly one of results, unsupported, raised, crash and unusable is set.

    results: "value" and "grad_<argument>" -> what came back, as NumPy arrays of the subject's own dtype; a Python number stays one. A
    protocol's have names of its own, and may be texts.
    changed: arguments whose bits differ after the call. seconds: of the call alone. compiled: the first call of a specialisation.
    notes: what else was seen, each where there is something to tell: "written_outside", names of the arguments beyond which, in their own
    buffer, something was written; "closed_streams", names of the standard streams that the call closed; "output", the end of what it wrote
    to them, as text.
    """

    results: Mapping[str, np.ndarray[Any, Any] | float | int | str] | None = None
    unsupported: str | None = None
    raised: Raised | None = None
    crash: Crash | None = None
    changed: tuple[str, ...] = ()
    seconds: float = 0.0
    compiled: bool = False
    notes: Mapping[str, Any] = field(default_factory=dict)
    unusable: NoResult | None = None

    @property
    def accepted(self) -> bool:
        """Whether the call was not refused. A crash and what is no result refuse nothing: the checks shall find them."""
        return self.results is not None or self.crash is not None or self.unusable is not None

    @property
    def refusal(self) -> str:
        """Why the call was refused, in one line."""
        said = self.unsupported if self.raised is None else str(self.raised)
        return " ".join((said or "").split())[:200].removesuffix(":")


# What stands for the outcome of a call that was not made: it refuses nothing.
NOT_TRIED = Outcome(results={})
