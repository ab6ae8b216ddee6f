"""One way of checking in the table: what it found of each set of implementations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from xentfuzz.errors import RecordError
from xentfuzz.gallery.entry import Entry
from xentfuzz.gallery.mutants import CATEGORY

BUGS, MUTANTS, HONEST, EQUIVALENT = "bugs", "mutants", "honest", "equivalent"
# Name -> what the set holds; in the last two a find is a false alarm.
SETS = {
    BUGS: "bugs of the gallery",
    MUTANTS: "mutants",
    HONEST: "honest implementations",
    EQUIVALENT: "mutants judged to be no bugs",
}
USUAL, OWN = "usual", "xentfuzz"


def set_of(subject: Entry) -> str:
    """The name, of SETS, of the set that the entry belongs to."""
    if subject.category == CATEGORY:
        return MUTANTS if subject.honest is None else EQUIVALENT
    return BUGS if subject.honest is None else HONEST


@dataclass(frozen=True)
class Verdicts:
    """Identifiers of one set. untried: what the way cannot be used on. dropped: what only its dropped cases accuse (see `Row`)."""

    found: Sequence[str] = field(default_factory=list)
    missed: Sequence[str] = field(default_factory=list)
    untried: Sequence[str] = field(default_factory=list)
    dropped: Sequence[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.found) + len(self.missed) + len(self.untried)


@dataclass(frozen=True)
class Row:
    """kind: USUAL or OWN. seconds: the median of a pass over an honest implementation, in one process. cases: compared in such a pass.

    dropped: further cases, left out because a plain right implementation fails them. sets: by the names of SETS.
    """

    name: str
    kind: str
    about: str
    source: str = ""
    cases: int = 0
    dropped: int = 0
    seconds: float = 0.0
    sets: Mapping[str, Verdicts] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> Row:
        """Raises RecordError for what `to_dict` did not write."""
        try:
            return Row(**{**stored, "sets": {name: Verdicts(**verdicts) for name, verdicts in stored["sets"].items()}})
        except (KeyError, TypeError, AttributeError) as error:
            raise RecordError(f"a row of a comparison cannot be read ({error}): measure it again with this xentfuzz") from error

    def verdicts(self, name: str) -> Verdicts:
        return self.sets.get(name, Verdicts())


def merged(rows: Iterable[Row]) -> list[Row]:
    """One row for each name: of each set the verdicts that come last."""
    found: dict[str, Row] = {}
    for row in rows:
        before = found.get(row.name, row)
        cases, seconds = row.cases or before.cases, row.seconds or before.seconds
        found[row.name] = replace(row, sets={**before.sets, **row.sets}, cases=cases, seconds=seconds)
    return list(found.values())


def together(rows: Sequence[Row]) -> Row:
    """All usual ways as one: found is what any of them finds."""
    usual = [row for row in rows if row.kind == USUAL]
    return Row(
        name="all of these",
        kind=USUAL,
        about="found by at least one of the above",
        cases=sum(row.cases for row in usual),
        dropped=sum(row.dropped for row in usual),
        seconds=round(sum(row.seconds for row in usual), 4),
        sets={name: _together([row.sets[name] for row in usual if name in row.sets]) for name in SETS},
    )


def _together(verdicts: Sequence[Verdicts]) -> Verdicts:
    found = _union(one.found for one in verdicts)
    missed = [name for name in _union(one.missed for one in verdicts) if name not in found]
    untried = [name for name in _union(one.untried for one in verdicts) if name not in found and name not in missed]
    return Verdicts(found, missed, untried, [name for name in _union(one.dropped for one in verdicts) if name not in found])


def _union(lists: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in lists for name in names))
