"""Libraries to whose arrays the harness has no bridge: host arrays go in and come out, and the library itself converts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from xentfuzz.implementation import Implementation


@dataclass(frozen=True)
class Bridge:
    """load, read: from a NumPy array to the library's, and back. functions: operation -> the library's function of its own arrays.

    pull_back(function, x, upstream): the gradient of <upstream, function(x)> by the library's own differentiation.
    """

    load: Callable[[Any], Any]
    read: Callable[[Any], Any]
    functions: Mapping[str, Callable[..., Any]]
    pull_back: Callable[[Callable[[Any], Any], Any, Any], Any]


def implementations(
    name: str, make: Callable[[], Bridge], supports: Mapping[str, Mapping[str, Any]], **declared: Any
) -> tuple[Implementation, ...]:
    """supports: of each operation. make: imports the library, which takes time. declared: what else the Implementations say."""
    return tuple(_implementation(name, operation, make, supports=of_it, **declared) for operation, of_it in supports.items())


def _implementation(name: str, operation: str, make: Callable[[], Bridge], **declared: Any) -> Implementation:
    bridge = cache(make)
    # For an option of which one value is declared the library has no parameter.
    only = {key: values[0] for key, values in declared["supports"]["options"].items() if values is not None and len(values) == 1}

    def loaded(options: dict[str, Any]) -> dict[str, Any]:
        named = {key: value for key, value in options.items() if key not in only or value != only[key]}
        return {key: bridge().load(value) if hasattr(value, "shape") else value for key, value in named.items()}

    def forward(*arrays: Any, **options: Any) -> Any:
        return bridge().read(bridge().functions[operation](*map(bridge().load, arrays), **loaded(options)))

    def backward(*arrays: Any, **options: Any) -> Any:
        upstream, x, *others = map(bridge().load, arrays)
        named = loaded(options)
        return bridge().read(bridge().pull_back(lambda given: bridge().functions[operation](given, *others, **named), x, upstream))

    return Implementation(name, forward, backward=backward, operation=operation, named_only=True, **declared)
