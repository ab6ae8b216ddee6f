"""All entries of the gallery, by identifier; the modules that hold them are loaded on first use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from xentfuzz.errors import require_known
from xentfuzz.gallery.entry import Entry
from xentfuzz.gallery.mutants import is_mutant, mutants

FAULTY_MODULES = (
    "norm",
    "ignore",
    "smoothing",
    "weight",
    "probabilities",
    "labels",
    "shapes",
    "gradient",
    "stability",
    "infinities",
    "precision",
    "tails",
    "strides",
    "state",
)
HONEST_MODULES = ("honest_arithmetic", "honest_authors", "honest_policies", "honest_interfaces")


@cache
def faulty() -> Mapping[str, Entry]:
    """identifier -> Entry of every bug, by category."""
    return _entries(FAULTY_MODULES)


@cache
def honest() -> Mapping[str, Entry]:
    """identifier -> Entry of every implementation that must not be accused."""
    return _entries(HONEST_MODULES)


def entry(identifier: str) -> Entry:
    """An entry of the gallery or a mutant. Raises UnknownName."""
    known = {**faulty(), **honest(), **(mutants() if is_mutant(identifier) else {})}
    require_known("entry of the gallery", [identifier], known)
    return known[identifier]


def _entries(modules: tuple[str, ...]) -> Mapping[str, Entry]:
    shelves = [import_module(f"xentfuzz.gallery.{module}").SHELF for module in modules]
    return MappingProxyType({identifier: found for shelf in shelves for identifier, found in shelf.entries.items()})
