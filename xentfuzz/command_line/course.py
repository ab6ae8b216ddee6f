"""How a run went, and the exit status that follows from it."""

from __future__ import annotations

from collections.abc import Sequence

from xentfuzz.command_line import status
from xentfuzz.runner.events import BenchmarkFinished, Event, HarnessFailed, RunFinished, SubjectUnavailable
from xentfuzz.runner.results import CheckReport


class Course:
    """A listener: what was interrupted, which targets could not be opened, whether a result to be timed or xentfuzz was wrong."""

    def __init__(self) -> None:
        self.interrupted = False
        self.wrong_when_timed = False
        self.timed = self.regressed = False
        self.refused: list[str] = []
        self.harness_failed = False

    def __call__(self, event: Event) -> None:
        match event:
            case RunFinished():
                self.interrupted |= event.interrupted
            case SubjectUnavailable():
                self.refused.append(event.implementation)
            case HarnessFailed():
                self.harness_failed = True
            case BenchmarkFinished():
                self.interrupted |= event.record["interrupted"]
                self.timed = bool(event.record["rows"])
                self.regressed = bool(event.record.get("compared", {}).get("regressions"))
                self.wrong_when_timed = any(row["status"] == "failed" for row in event.record["rows"])
            case _:
                pass

    def status(self, reports: Sequence[CheckReport], *, all_wanted: bool) -> int:
        """all_wanted: the user named the targets, so that one that cannot be opened is wrong usage."""
        if self.interrupted:
            return status.INTERRUPTED
        if self.harness_failed or any(report.errors for report in reports):
            return status.INTERNAL
        if self.wrong_when_timed or self.regressed or not all(report.ok for report in reports):
            return status.FINDINGS
        if all_wanted and self.refused:
            return status.USAGE
        return status.FINDINGS if self.refused and not reports and not self.timed else status.OK
