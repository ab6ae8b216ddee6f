"""Rows of the table: from examinations, and from the results that `xentfuzz power --json` wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from statistics import median
from typing import Any

from xentfuzz.errors import RecordError, UnknownName
from xentfuzz.gallery.catalogue import entry, faulty
from xentfuzz.gallery.entry import Entry
from xentfuzz.power.comparison.row import BUGS, HONEST, OWN, USUAL, Row, Verdicts, merged, set_of
from xentfuzz.power.measurement import Measurement
from xentfuzz.power.summary import Summary, beyond, summaries
from xentfuzz.power.usual.examination import Examination
from xentfuzz.power.usual.methods import METHODS

MEASURED = {field.name for field in fields(Measurement)}


def usual_rows(examinations: Iterable[Examination]) -> list[Row]:
    """In the order of the methods; those that were not measured are left out."""
    by_method: dict[str, list[Examination]] = {}
    for examination in examinations:
        by_method.setdefault(examination.method, []).append(examination)
    return [_usual_row(name, by_method[name]) for name in METHODS if name in by_method]


def stored_rows(documents: Sequence[Mapping[str, Any]]) -> list[Row]:
    """documents: results of `xentfuzz power`, its own and comparisons; several of one profile are several seeds. Later ones win."""
    kept = [_sorted_anew(Row.from_dict(row)) for document in documents for row in document.get("comparison", ())]
    runs: dict[str, list[Measurement]] = {}
    for document in documents:
        for report in document["reports"]:
            runs.setdefault(document["profile"], []).extend(map(_measurement, report["runs"]))
    return merged([*kept, *(_own_row(profile, found) for profile, found in runs.items())])


def _sorted_anew(row: Row) -> Row:
    """With every entry in the set that it belongs to by now: since it was measured a mutant may have been shown to be no bug."""
    found: dict[str, dict[str, list[str]]] = {}
    for verdicts in row.sets.values():
        for verdict in fields(Verdicts):
            for name in getattr(verdicts, verdict.name):
                found.setdefault(set_of(_known(name)), {}).setdefault(verdict.name, []).append(name)
    return replace(row, sets={kind: Verdicts(**verdicts) for kind, verdicts in found.items()})


def _known(identifier: str) -> Entry:
    try:
        return entry(identifier)
    except UnknownName as error:
        raise RecordError(f"a stored comparison names what is not there any more: {error}; measure it again with this xentfuzz") from error


def _usual_row(name: str, examinations: Sequence[Examination]) -> Row:
    method = METHODS[name]
    ordered = sorted(examinations, key=lambda one: one.entry)
    whole = [one for one in ordered if not one.found and one.compared]
    honest = [one.seconds for one in whole if set_of(entry(one.entry)) == HONEST]
    return Row(
        name=name,
        kind=USUAL,
        about=method.about,
        source=method.source,
        cases=max((one.compared for one in whole), default=0),
        dropped=max(one.left_out for one in ordered),
        seconds=_median(honest),
        sets={kind: _verdicts([one for one in ordered if set_of(entry(one.entry)) == kind]) for kind in _sets_of(ordered)},
    )


def _verdicts(examinations: Sequence[Examination]) -> Verdicts:
    return Verdicts(
        found=[one.entry for one in examinations if one.found],
        missed=[one.entry for one in examinations if not one.found and one.compared],
        untried=[one.entry for one in examinations if not one.found and not one.compared],
        dropped=[one.entry for one in examinations if not one.found and one.dropped],
    )


def _sets_of(examinations: Sequence[Examination]) -> list[str]:
    return list(dict.fromkeys(set_of(entry(one.entry)) for one in examinations))


def _measurement(run: Mapping[str, Any]) -> Measurement:
    """What another version wrote beside is left out."""
    return Measurement(**{name: value for name, value in run.items() if name in MEASURED})


def _own_row(profile: str, runs: Sequence[Measurement]) -> Row:
    found = sorted(summaries(runs), key=lambda summary: summary.entry.id)
    honest = [run for summary in found if set_of(summary.entry) == HONEST for run in summary.runs if not run.found]
    sets = {kind: _own_verdicts([summary for summary in found if set_of(summary.entry) == kind]) for kind in _sets_of_own(found)}
    if BUGS in sets:
        larger = [name for name, subject in faulty().items() if beyond(profile, subject) and name not in sets[BUGS].found]
        sets[BUGS] = Verdicts(sets[BUGS].found, [name for name in sets[BUGS].missed if name not in larger], larger)
    return Row(
        name=f"xentfuzz {profile}",
        kind=OWN,
        about=f"`xentfuzz check --profile {profile}`, {_seeds(found)}; found is what 9 of 10 seeds find, accused what one seed accuses",
        source="xentfuzz power",
        cases=round(_median([run.cases for run in honest])),
        seconds=_median([run.seconds for run in honest]),
        sets=sets,
    )


def _own_verdicts(found: Sequence[Summary]) -> Verdicts:
    hits = [summary.entry.id for summary in found if summary.accused or (summary.found and not summary.missed)]
    return Verdicts(hits, [summary.entry.id for summary in found if summary.entry.id not in hits])


def _sets_of_own(found: Sequence[Summary]) -> list[str]:
    return list(dict.fromkeys(set_of(summary.entry) for summary in found))


def _seeds(found: Sequence[Summary]) -> str:
    """How many seeds the entries were run with."""
    counts = sorted({len({run.seed for run in summary.runs}) for summary in found})
    span = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{span} seed{'' if counts == [1] else 's'}"


def _median(figures: Sequence[float]) -> float:
    return round(median(figures), 4) if figures else 0.0
