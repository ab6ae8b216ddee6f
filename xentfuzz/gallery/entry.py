"""What the gallery knows about one implementation: the bug, where it was reported, and a hand-written case that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from xentfuzz.dtypes import FLOAT_NAMES, TARGET_NAMES
from xentfuzz.gallery.call import Call
from xentfuzz.implementation import Implementation

TIERS = {
    1: "a naive random test finds it",
    2: "needs one more dimension: rank, strides, upstream gradient, label dtype, another ignore_index, an invalid label",
    3: "needs special values, a dtype or a size threshold",
    4: "needs state, memory, threads or very large sizes",
}
Kernel = TypeVar("Kernel", bound=type)


@dataclass(frozen=True)
class Shown:
    """A hand-written case, and what is observed there (see `observe.py`).

    by: what to look at, of OBSERVATIONS. wrong: what the faulty implementation gives; right: what an honest one gives, in the words of
    `observe`. at: which elements are looked at, None for all. digits: significant ones. before: calls that come first.
    dirty: what fresh memory holds.
    slow: it takes seconds and gigabytes.
    """

    call: Call
    by: str
    wrong: str
    right: str
    at: slice | None = None
    digits: int = 4
    before: tuple[Call, ...] = ()
    dirty: float | None = None
    slow: bool = False


@dataclass(frozen=True)
class Entry:
    """One implementation of the gallery.

    reference: the public report, or "derived". mechanism: one line. kernel: makes the object whose forward and backward are called.
    shown: what proves the bug; unaffected: a near miss, a case that is answered rightly (None where there is none).
    smallest: the smallest number of logits with which it can be shown. profile: the smallest profile that can find it.
    honest: why it is no bug, None for a faulty one. declares: further arguments of Implementation.
    isolated: its process suffers from it, or remembers earlier calls.
    """

    id: str
    category: str
    tier: int
    reference: str
    mechanism: str
    kernel: Callable[[], Any]
    shown: Shown | None = None
    unaffected: Call | None = None
    smallest: int = 1
    profile: str = "default"
    honest: str | None = None
    declares: Mapping[str, Any] = field(default_factory=dict)
    isolated: bool = False

    @property
    def implementation(self) -> Implementation:
        """Declared to take everything, unless `declares` says otherwise; another process can load it."""
        place = f"xentfuzz.gallery.kernels:{self.id}"
        declaration = {
            "backward": f"{place}.backward",
            "dtypes": FLOAT_NAMES,
            "supports": {"target_dtypes": TARGET_NAMES},
            **self.declares,
        }
        return Implementation(self.id, f"{place}.forward", **declaration)


class Shelf:
    """The entries of one category. A decorator: what it is called with describes the class below it."""

    def __init__(self, category: str) -> None:
        self.category = category
        self.entries: dict[str, Entry] = {}

    def __call__(self, identifier: str, *, tier: int, reference: str, mechanism: str, **more: Any) -> Callable[[Kernel], Kernel]:
        """Raises ValueError where the identifier is taken."""
        if identifier in self.entries:
            raise ValueError(f"{identifier} is on the shelf {self.category} already")

        def place(kernel: Kernel) -> Kernel:
            self.entries[identifier] = Entry(identifier, self.category, tier, reference, mechanism, kernel, **more)
            return kernel

        return place


class HonestShelf(Shelf):
    """The honest row. reason: what allows the implementation to be as it is."""

    def honest(self, identifier: str, reason: str, **declares: Any) -> Callable[[Kernel], Kernel]:
        return self(identifier, tier=0, reference="", mechanism=reason, honest=reason, declares=declares)
