"""A finding as a person reads it: what is wrong, the smallest case, how to see it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from xentfuzz.reports.document import FailureEntry
from xentfuzz.reports.lines import Line, clipped, copyable, labelled, wrapped

LABEL = 10
# A message may carry a traceback; the record holds it whole.
MESSAGE_LINES = 9


def finding_lines(number: int, failure: FailureEntry, place: str) -> list[Line]:
    """The whole of a finding, in a dozen lines or so. place: by what a command finds the implementation."""
    kind = "" if failure.kind == failure.check else f": {failure.kind}"
    lines = wrapped(f"{failure.check}, {failure.dtype}{kind}", first=f"{number}. ", style="bold red")
    message = [line for text in failure.message.splitlines() for line in wrapped(text, first="   ")]
    lines += message[:MESSAGE_LINES] + [Line("   ...")] * (len(message) > MESSAGE_LINES)
    fields = [*_input(failure), *([("replay", _replay(failure, place))] if failure.record and failure.alone else [])]
    lines += [line for label, text in fields for line in labelled(f"   {label}", text, LABEL)]
    return lines + [line for label, path in _file(failure) for line in copyable(f"   {label}", path, LABEL)]


def short_finding(number: int, failure: FailureEntry, place: str) -> list[Line]:
    """Check, dtype and headline on one line, and how to see the rest."""
    headline = Line(clipped(f"{number}. {failure.check}, {failure.dtype}: {failure.headline}"), "red")
    return [headline, *(wrapped(_replay(failure, place), first="   ", rest="     ") if failure.record and failure.alone else [])]


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
