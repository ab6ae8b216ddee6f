"""The kernels by identifier, one object for each in a process: `xentfuzz.gallery.kernels:R02.forward` is how a worker finds a function."""

from __future__ import annotations

from functools import cache
from typing import Any

from xentfuzz.gallery.catalogue import entry


@cache
def kernel(identifier: str) -> Any:
    """Raises UnknownName. The same object each time: what a kernel keeps from call to call is part of it."""
    return entry(identifier).kernel()


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return kernel(name)
