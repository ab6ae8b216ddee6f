"""Which entries of the gallery to measure."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.errors import UnknownName
from xentfuzz.gallery.catalogue import faulty, honest
from xentfuzz.gallery.entry import Entry
from xentfuzz.gallery.mutants import answers, mutants

ALL_FAULTY, ALL_HONEST, ALL_MUTANTS = "faulty", "honest", "mutants"


def selected(names: Sequence[str] | None) -> list[Entry]:
    """Entries by identifier, by category, or as "faulty", "honest" and "mutants"; the first two for None. Raises UnknownName."""
    if not names:
        return [*faulty().values(), *honest().values()]
    found = {entry.id: entry for name in names for entry in _named(name)}
    return list(found.values())


def _named(name: str) -> list[Entry]:
    if name == ALL_MUTANTS:
        return [mutant for mutant in mutants().values() if answers(mutant)]
    if name in mutants():
        return [mutants()[name]]
    everything = {**faulty(), **honest()}
    groups = {ALL_FAULTY: list(faulty().values()), ALL_HONEST: list(honest().values())}
    for entry in everything.values():
        groups.setdefault(entry.category, []).append(entry)
    if name in everything:
        return [everything[name]]
    if name.upper() in groups or name in groups:
        return groups[name if name in groups else name.upper()]
    raise UnknownName("entry or category of the gallery", name, [*everything, *groups, ALL_MUTANTS])
