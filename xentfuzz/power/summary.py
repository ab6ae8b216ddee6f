"""Measurements of all seeds, entry by entry: what was missed, and which honest implementation was accused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from xentfuzz.gallery.catalogue import entry
from xentfuzz.gallery.entry import Entry
from xentfuzz.power.measurement import Measurement

PROFILES = ("quick", "default", "thorough")
# A bug counts as found where this share of the seeds find it.
ENOUGH = 0.9
# Logits that a person takes in at a glance; a bug that needs a size may show at twice that size.
FEW_LOGITS = 8


def beyond(profile: str, subject: Entry) -> bool:
    """Whether only a larger profile can find the entry's bug."""
    return subject.profile == "thorough" and profile != "thorough"


@dataclass(frozen=True)
class Summary:
    """One entry over all seeds."""

    entry: Entry
    runs: Sequence[Measurement]

    @property
    def errors(self) -> list[Measurement]:
        return [run for run in self.runs if run.error]

    @property
    def found(self) -> list[Measurement]:
        return [run for run in self.runs if run.found]

    @property
    def missed(self) -> bool:
        tried = [run for run in self.runs if not run.error]
        return self.entry.honest is None and not beyond(self.runs[0].profile, self.entry) and len(self.found) < ENOUGH * len(tried)

    @property
    def accused(self) -> bool:
        return self.entry.honest is not None and bool(self.found)

    @property
    def ok(self) -> bool:
        return not (self.missed or self.accused or self.errors)

    @property
    def by(self) -> str:
        """The check that found it most often."""
        checks = Counter(f"{run.check} ({run.kind})" for run in self.found)
        return checks.most_common(1)[0][0] if checks else ""

    def middle_and_worst(self, figure: str) -> tuple[float, float]:
        """Median and largest of a figure of the runs that found something (of all runs of an honest entry)."""
        figures = [getattr(run, figure) for run in (self.found if self.entry.honest is None else self.runs)]
        return (median(figures), max(figures)) if figures else (0.0, 0.0)

    @property
    def shrunk(self) -> int | None:
        """Logits of the largest shrunk case over the seeds."""
        sizes = [run.shrunk for run in self.found if run.shrunk is not None]
        return max(sizes, default=None)

    @property
    def small_enough(self) -> bool:
        """Whether every shrunk case is one that a person can read, as far as the bug allows."""
        return self.shrunk is not None and self.shrunk <= max(FEW_LOGITS, 2 * self.entry.smallest)

    @property
    def script_faults(self) -> list[Measurement]:
        """The runs whose script did not show what was found."""
        return [run for run in self.found if run.script_fault]

    def to_dict(self) -> dict[str, Any]:
        return {
            "implementation": self.entry.id,
            "operation": "cross_entropy",
            "ok": self.ok,
            "category": self.entry.category,
            "tier": self.entry.tier,
            "reference": self.entry.reference,
            "mechanism": self.entry.mechanism,
            "honest": self.entry.honest,
            "profile": self.entry.profile,
            "smallest": self.entry.smallest,
            "missed": self.missed,
            "accused": self.accused,
            "small_enough": self.small_enough,
            "runs": [run.to_dict() for run in self.runs],
        }


def summaries(measurements: Iterable[Measurement]) -> list[Summary]:
    """In the order of the first measurement of each entry."""
    runs: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        runs.setdefault(measurement.entry, []).append(measurement)
    return [Summary(entry(name), sorted(found, key=lambda run: run.seed)) for name, found in runs.items()]
