"""The results of one check on all dtypes as one row: what a table has a line for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xentfuzz.reports.document import CheckEntry, ReportEntry

# What a row says where its dtypes differ: the first of these that occurs.
WORST_FIRST = ("failed", "error", "expected", "passed", "not_run", "unsupported")


MOST_ULP = 1e6
# How the reason begins where a check is tried in another dtype.
ELSEWHERE = "tried in "


def ulp_words(ulp: float, form: str = "{}") -> str:
    """An error in units in the last place, within `form`; "" where it has none: between results, or of no number.

    Nor where there are so many that they say nothing: next to an exact result near 0, what is allowed there is the measure.
    """
    return form.format(f"{ulp:.3g} ulp") if 0 < ulp <= MOST_ULP else ""


def ratio_words(ratio: float) -> str:
    """An error / allowed error in three digits; below 1 it is not rounded up to it, because 1 is where right ends."""
    return f"{math.floor(ratio * 1000) / 1000:.3g}" if 0.9 < ratio < 1 else f"{ratio:.3g}"


STATUS_WORDS = {
    "failed": "FAILED",
    "error": "ERROR",
    "expected": "expected",
    "passed": "passed",
    "not_run": "not run",
    "unsupported": "unsupported",
}
STATUS_STYLES = {"failed": "bold red", "error": "bold magenta", "expected": "yellow", "passed": "", "not_run": "dim", "unsupported": "dim"}


@dataclass(frozen=True)
class Tally:
    """One check of one report over its dtypes. worst: the entry with the largest error / allowed error."""

    check: str
    entries: Sequence[CheckEntry]

    @property
    def status(self) -> str:
        return next(status for status in WORST_FIRST if any(entry.status == status for entry in self.entries))

    @property
    def cases(self) -> int:
        return sum(entry.cases for entry in self.entries)

    @property
    def unsupported(self) -> int:
        return sum(entry.unsupported for entry in self.entries)

    @property
    def worst(self) -> CheckEntry:
        return max(self.entries, key=lambda entry: entry.worst_ratio)

    def remark(self, dtypes: Sequence[str]) -> str:
        """Which dtypes the status is about, "" where it is that of all of `dtypes`."""
        same = [entry.dtype for entry in self.entries if entry.status == self.status]
        if set(dtypes) <= set(same):
            return ""
        if self.status == "passed":
            return f"not in {', '.join(dtype for dtype in dtypes if dtype not in same)}"
        return f"in {', '.join(same)}"


def tallies(report: ReportEntry) -> list[Tally]:
    """One for each check, in the report's order."""
    by_check: dict[str, list[CheckEntry]] = {}
    for entry in report.checks:
        by_check.setdefault(entry.check, []).append(entry)
    return [Tally(check, entries) for check, entries in by_check.items()]


def worst_entry(report: ReportEntry) -> CheckEntry | None:
    """The check and dtype with the largest error / allowed error among those that measure one."""
    # Of a check that failed, an error that is allowed says nothing.
    measured = [entry for entry in report.checks if entry.recipe is not None and entry.worst_ratio > (1 if entry.status == "failed" else 0)]
    return max(measured, key=lambda entry: entry.worst_ratio, default=None)
