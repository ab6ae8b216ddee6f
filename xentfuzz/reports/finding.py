"""A finding as a person reads it: what is wrong, the smallest case, how to see it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from xentfuzz.reports.document import FailureEntry
from xentfuzz.reports.lines import WIDTH, Line, clipped, labelled, wrapped

LABEL = 10
# A message may carry a traceback; the record holds it whole.
MESSAGE_LINES = 9


def finding_lines(number: int, failure: FailureEntry, place: str) -> list[Line]:
    """The whole of a finding, in a dozen lines or so. place: by what a command finds the implementation."""
    kind = "" if failure.kind == failure.check else f": {failure.kind}"
    lines = wrapped(f"{failure.check}, {failure.dtype}{kind}", first=f"{number}. ", style="bold red")
    message = [line for text in failure.message.splitlines() for line in wrapped(text, first="   ")]
    lines += message[:MESSAGE_LINES] + [Line("   ...")] * (len(message) > MESSAGE_LINES)
    return lines + [line for label, text in _fields(failure, place) for line in labelled(f"   {label}", text, LABEL)]


def short_finding(number: int, failure: FailureEntry, place: str) -> list[Line]:
    """Check, dtype and headline on one line, and how to see the rest."""
    headline = Line(clipped(f"{number}. {failure.check}, {failure.dtype}: {failure.headline}"), "red")
    return [headline, *(wrapped(_replay(failure, place), first="   ", rest="     ") if failure.record and failure.alone else [])]


def expected_line(failure: FailureEntry) -> Line:
    return Line(clipped(f"   {failure.check}, {failure.dtype}: {failure.expected}"))


def _fields(failure: FailureEntry, place: str) -> Iterator[tuple[str, str]]:
    label = "input"
    for text in failure.input:
        yield label, text
        label = ""
    if failure.record and not failure.alone:
        yield "record", failure.record
    elif failure.record:
        yield "replay", _replay(failure, place)
        yield "script", _script(failure)


def _number(failure: FailureEntry) -> str:
    """The end of the record's name, which is enough to find it."""
    return Path(failure.record).stem.rpartition("-")[2]


def _replay(failure: FailureEntry, place: str) -> str:
    # What isn't registered is never imported because a record names it.
    target = f" {shlex.quote(place)}" if ":" in place else ""
    return f"xentfuzz replay {_number(failure)}{target}"


def _script(failure: FailureEntry) -> str:
    """The path, or where it would be broken over lines a pattern that a shell expands to it."""
    path = Path(failure.record).with_suffix(".py")
    if len(str(path)) <= WIDTH - LABEL or len(path.parts) < len(("failures", "implementation", "operation", path.name)):
        return str(path)
    return str(path.parents[2] / "*" / "*" / f"*-{_number(failure)}.py")
