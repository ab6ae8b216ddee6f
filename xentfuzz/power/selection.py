"""Which entries of the gallery to measure."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.errors import UnknownName
from xentfuzz.gallery.catalogue import faulty, honest
from xentfuzz.gallery.entry import Entry

ALL_FAULTY, ALL_HONEST = "faulty", "honest"


def selected(names: Sequence[str] | None) -> list[Entry]:
    """Entries by identifier, by category, or as "faulty" and "honest"; all of them for None. Raises UnknownName."""
    if not names:
        return [*faulty().values(), *honest().values()]
    found = {entry.id: entry for name in names for entry in _named(name)}
    return list(found.values())


def _named(name: str) -> list[Entry]:
    everything = {**faulty(), **honest()}
    groups = {ALL_FAULTY: list(faulty().values()), ALL_HONEST: list(honest().values())}
    for entry in everything.values():
        groups.setdefault(entry.category, []).append(entry)
    if name in everything:
        return [everything[name]]
    if name.upper() in groups or name in groups:
        return groups[name if name in groups else name.upper()]
    raise UnknownName("entry or category of the gallery", name, [*everything, *groups])
