"""Real bugs, each planted in an implementation that is honest otherwise, and a row of honest implementations.

`FAULTY` and `HONEST` map identifiers to entries; `xentfuzz.gallery:R02` is the Implementation of that entry, or of a mutant,
a target of `xentfuzz check`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from xentfuzz.errors import UnknownName

__all__ = ["FAULTY", "HONEST"]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # `from xentfuzz.gallery import catalogue` would ask this function for the name first.
    catalogue = import_module("xentfuzz.gallery.catalogue")
    if name == "FAULTY":
        return catalogue.faulty()
    if name == "HONEST":
        return catalogue.honest()
    try:
        return catalogue.entry(name).implementation
    except UnknownName as unknown:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from unknown
