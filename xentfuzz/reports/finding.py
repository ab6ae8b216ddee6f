"""A finding as a person reads it: what is wrong, the smallest case, how to see it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from xentfuzz.reports.document import FailureEntry
from xentfuzz.reports.lines import Line, clipped, labelled, wrapped

LABEL = 10
# A message may carry a traceback; the record holds it whole.
MESSAGE_LINES = 9


def finding_lines(number: int, failure: FailureEntry, implementation: str) -> list[Line]:
    """The whole of a finding, in a dozen lines or so."""
    kind = "" if failure.kind == failure.check else f": {failure.kind}"
    lines = wrapped(f"{failure.check}, {failure.dtype}{kind}", first=f"{number}. ", style="bold red")
    message = [line for text in failure.message.splitlines() for line in wrapped(text, first="   ")]
    lines += message[:MESSAGE_LINES] + [Line("   ...")] * (len(message) > MESSAGE_LINES)
    return lines + [line for label, text in _fields(failure, implementation) for line in labelled(f"   {label}", text, LABEL)]


def finding_line(number: int, failure: FailureEntry) -> Line:
    """Check, dtype and headline on one line."""
    return Line(clipped(f"{number}. {failure.check}, {failure.dtype}: {failure.headline}"), "red")


def expected_line(failure: FailureEntry) -> Line:
    return Line(clipped(f"   {failure.check}, {failure.dtype}: {failure.expected}"))


def _fields(failure: FailureEntry, implementation: str) -> Iterator[tuple[str, str]]:
    label = "input"
    for text in failure.input:
        yield label, text
        label = ""
    if failure.record:
        # The end of the name is enough to find it. What isn't registered is never imported because a record names it.
        number = Path(failure.record).stem.rpartition("-")[2]
        target = f" {implementation}" if ":" in implementation else ""
        yield "replay", f"xentfuzz replay {number}{target}"
        yield "script", str(Path(failure.record).with_suffix(".py"))
