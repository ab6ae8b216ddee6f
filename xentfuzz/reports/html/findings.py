"""The findings, each a card."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xentfuzz.checks.message import output_words
from xentfuzz.failures.failure import KINDS
from xentfuzz.reports.document import Document, FailureEntry, ReportEntry
from xentfuzz.reports.html.elements import Cell, Table


@dataclass(frozen=True)
class Card:
    """One finding. remarks: what it needs and where else it shows; inputs: the smallest case; replay: a command, "" where there is none."""

    anchor: str
    title: str
    place: str
    meaning: str
    headline: str
    remarks: Sequence[str]
    cases: Sequence[Table]
    inputs: Sequence[str]
    expected: str
    replay: str
    script: str


def cards(document: Document, *, expected: bool) -> list[Card]:
    """The findings that are, or are not, expected ones, in the document's order."""
    return [
        card
        for report, number, failure in numbered(document)
        if (failure.expected is not None) is expected
        for card in [_card(report, number, failure)]
    ]


def numbered(document: Document) -> Iterator[tuple[ReportEntry, int, FailureEntry]]:
    """Every finding with its number in the page."""
    number = 0
    for report in document.reports:
        for failure in report.failures:
            number += 1
            yield report, number, failure


def problems(document: Document) -> list[str]:
    return [f"{report.implementation}, {report.operation}: {problem}" for report in document.reports for problem in report.problems]


def errors(document: Document) -> list[tuple[str, str]]:
    """(what was being done and what came of it, the traceback) of each error of xentfuzz itself."""
    told = [(f"{report.implementation}, {report.operation}, ", error) for report in document.reports for error in report.errors]
    return [
        (
            f"{about}{' '.join(part for part in (error.doing, error.check, error.dtype) if part)}: {error.error} ({error.times} x)",
            error.traceback,
        )
        for about, error in (*told, *(("", error) for error in document.errors))
    ]


def _card(report: ReportEntry, number: int, failure: FailureEntry) -> Card:
    _, *remarks = failure.message.splitlines()
    return Card(
        anchor=f"finding-{number}",
        title=f"{failure.check}, {failure.dtype}",
        place=f"{report.implementation}, {report.operation}",
        meaning=f"{failure.kind}: {KINDS.get(failure.kind, 'a finding')}",
        headline=failure.headline,
        remarks=remarks,
        cases=list(_cases(failure)),
        inputs=[] if failure.shown.get("arrays") else failure.input,
        expected=failure.expected or "",
        replay=_replay(report, failure),
        script=failure.script,
    )


def _replay(report: ReportEntry, failure: FailureEntry) -> str:
    if not failure.record or not failure.alone:
        return ""
    words = ["xentfuzz", "replay", Path(failure.record).stem.rpartition("-")[2]]
    return shlex.join(words + ([report.place] if ":" in report.place else []))


def _cases(failure: FailureEntry) -> Iterator[Table]:
    """The arguments and the output of the smallest case, as tables of numbers, the element that the finding is about marked."""
    for name, array in failure.shown.get("arrays", {}).items():
        yield _numbers(f"{name}, {array['dtype']}", array["values"])
    options = failure.shown.get("options")
    if options:
        yield Table("options", ["option", "value"], [[name, Cell(text, code=True)] for name, text in options.items()])
    output = failure.shown.get("output")
    if output:
        words = output_words(failure.operation, output["name"])
        rows = [_element(index, output) for index in _indices(output["got"])]
        yield Table(words, ["element", "got", "expected", "allowed error"], rows, right=frozenset({1, 2, 3}))


def _element(index: tuple[int, ...], output: dict[str, Any]) -> list[Cell | str]:
    got, expected, allowed = (_at(output[field], index) for field in ("got", "expected", "allowed"))
    mark = "wrong" if list(index) == output["index"] else ""
    return [str(list(index)) if index else "the only one", Cell(got, mark), expected, allowed]


def _numbers(caption: str, values: Any) -> Table:
    """An array: its last axis across, the others down."""
    if not isinstance(values, list):
        return Table(caption, [""], [[str(values)]], heading=False)
    if not values or not isinstance(values[0], list):
        return Table(caption, [str(place) for place in range(len(values))], [values], right=frozenset(range(len(values))), heading=False)
    indices = _indices(values, last=False)
    width = max((len(_at(values, index)) for index in indices), default=0)
    rows = [[_row_name(index), *_at(values, index)] for index in indices]
    return Table(
        caption,
        ["", *(f"class {place}" if len(indices[0]) == 1 else str(place) for place in range(width))],
        rows,
        right=frozenset(range(1, width + 1)),
    )


def _row_name(index: tuple[int, ...]) -> str:
    return f"row {index[0]}" if len(index) == 1 else str(list(index))


def _indices(values: Any, *, last: bool = True) -> list[tuple[int, ...]]:
    """All indices into nested lists, or those of their innermost lists."""
    if not isinstance(values, list):
        return [()]
    if not last and (not values or not isinstance(values[0], list)):
        return [()]
    return [(place, *rest) for place, part in enumerate(values) for rest in _indices(part, last=last)]


def _at(values: Any, index: tuple[int, ...]) -> Any:
    for place in index:
        values = values[place]
    return values
