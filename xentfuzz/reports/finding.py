"""A finding as a person reads it: what is wrong, the smallest case, how to see it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from xentfuzz.reports.document import FailureEntry
from xentfuzz.reports.lines import Line, clipped, columns, copyable, first_of, labelled, wrapped

LABEL = 10
# A message may carry a traceback, and an input many numbers; the record and the script hold them whole.
HEADLINE, REMARKS, INPUT = 3, 3, 5


def finding_lines(number: int, failure: FailureEntry, place: str) -> list[Line]:
    """What a person needs of a finding, in a dozen lines or so. place: by what a command finds the implementation."""
    kind = "" if failure.kind == failure.check else f": {failure.kind}"
    lines = wrapped(f"{failure.check}, {failure.dtype}{kind}", first=f"{number}. ", style="bold red")
    headline, *remarks = failure.message.splitlines() or [""]
    lines += first_of(wrapped(headline, first="   "), HEADLINE)
    # What it needs ends the message, behind remarks of any length, and is what its author looks for.
    needs = [remark for remark in remarks if remark.startswith("needs ")][-1:]
    told = [remark for remark in remarks if remark.strip() and remark not in needs]
    lines += first_of([Line(f"   {clipped(remark, columns() - 3)}") for remark in told], REMARKS)
    lines += first_of([line for remark in needs for line in wrapped(remark, first="   ")], REMARKS)
    lines += first_of([line for label, text in _input(failure) for line in labelled(f"   {label}", text, LABEL)], INPUT)
    if failure.record and failure.alone:
        lines += copyable("   replay", _replay(failure, place), LABEL)
    return lines + [line for label, path in _file(failure) for line in copyable(f"   {label}", path, LABEL)]


def short_finding(number: int, failure: FailureEntry) -> Line:
    """Check, dtype and headline on one line, and by what `xentfuzz replay` finds it."""
    replayed = f" ({_number(failure)})" if failure.record and failure.alone else ""
    headline = f"{number}. {failure.check}, {failure.dtype}: {failure.headline}"
    return Line(f"{clipped(headline, columns() - len(replayed))}{replayed}", "red")


def expected_line(failure: FailureEntry) -> Line:
    return Line(clipped(f"   {failure.check}, {failure.dtype}: {failure.expected}"))


def _input(failure: FailureEntry) -> Iterator[tuple[str, str]]:
    label = "input"
    for text in failure.input:
        yield label, text
        label = ""


def _file(failure: FailureEntry) -> Iterator[tuple[str, str]]:
    if failure.record:
        yield ("script", str(Path(failure.record).with_suffix(".py"))) if failure.alone else ("record", failure.record)


def _number(failure: FailureEntry) -> str:
    """The end of the record's name, which is enough to find it."""
    return Path(failure.record).stem.rpartition("-")[2]


def _replay(failure: FailureEntry, place: str) -> str:
    # What isn't registered is never imported because a record names it.
    target = f" {shlex.quote(place)}" if ":" in place else ""
    return f"xentfuzz replay {_number(failure)}{target}"
