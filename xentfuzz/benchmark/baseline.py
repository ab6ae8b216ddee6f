"""A benchmark against an earlier one: which differences exceed the noise.

A difference counts where three things hold: the rank test over the turns finds it; the middle halves of the rounds don't overlap; and it
is larger than SMALLEST and than what the machine itself changed between the two runs, seen in the plain read, the plain copy and the bare
loop of exponentials, which are the same code in both. Where one of the runs was on a machine too busy to judge, none counts.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from xentfuzz.benchmark.rank_test import rank_test
from xentfuzz.benchmark.records import Row, input_of
from xentfuzz.errors import RecordError

SIGNIFICANCE = 0.01
# As a share of the time: where code and data lie in memory changes times by some per cent from one process to the next.
SMALLEST = 0.05


@dataclass(frozen=True)
class Change:
    """old, new: median seconds. p: of the rank test over turns; counts: whether the difference exceeds the noise."""

    row: Row
    old: float
    new: float
    p: float
    counts: bool

    @property
    def percent(self) -> float:
        """How much longer it takes now; negative where it is faster."""
        return 100 * (self.new / self.old - 1)

    def to_dict(self) -> dict[str, Any]:
        words = {name: self.row[name] for name in ("implementation", "operation", "measure", "dtype", "shape")}
        return words | {"old": self.old, "new": self.new, "p": self.p, "counts": self.counts, "percent": self.percent}


def stored_record(path: str) -> dict[str, Any]:
    """The benchmark in a results file. Raises RecordError where there is none, or it is of a version that noted no turns."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        hint = "--baseline FILE is an earlier run; --relative-to NAME gives speed relative to an implementation"
        raise RecordError(f"cannot read {path}: {error.strerror} ({hint})") from None
    except ValueError:
        raise RecordError(f"{path} is no JSON; wanted a file that `xentfuzz bench --json FILE` or `xentfuzz run` wrote") from None
    record = document.get("benchmark") if isinstance(document, dict) else None
    if not isinstance(record, dict) or not any(row.get("status") == "timed" for row in record.get("rows", ())):
        raise RecordError(f"{path} holds no times; wanted a file that `xentfuzz bench --json FILE` or `xentfuzz run` (results.json) wrote")
    if any(row["status"] == "timed" and "turns" not in row for row in record["rows"]):
        raise RecordError(f"{path} is of a version that kept no turns of rounds; time the old code again with this one")
    return record


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Of everything that both records have a time for."""
    before = {(row["implementation"], input_of(row)): row for row in _timed(old["rows"])}
    drift = machine_drift(old, new)
    fit = not (old.get("too_busy") or new.get("too_busy"))
    pairs = ((before.get((row["implementation"], input_of(row))), row) for row in _timed(new["rows"]))
    return [change_of(earlier, row, drift, fit=fit) for earlier, row in pairs if earlier is not None]


def change_of(old: Row, new: Row, drift: float, *, fit: bool = True) -> Change:
    """drift: the share by which the machine itself changed."""
    first, second = old["stats"]["median"], new["stats"]["median"]
    p = rank_test(turn_medians(old), turn_medians(new))
    faster, slower = (old, new) if first < second else (new, old)
    apart = faster["stats"]["q3"] < slower["stats"]["q1"]
    larger = abs(second / first - 1) > max(SMALLEST, drift)
    return Change(new, first, second, p, counts=fit and p < SIGNIFICANCE and apart and larger)


def regressions(found: Iterable[Change], percent: float) -> list[Change]:
    """What got slower by more than `percent`, beyond the noise."""
    return [change for change in found if change.counts and change.percent > percent]


def turn_medians(row: Row) -> list[float]:
    """One number for each turn: rounds of one turn share what disturbed it."""
    ends = [0, *accumulate(row["turns"])]
    return [statistics.median(row["stats"]["data"][begin:end]) for begin, end in pairwise(ends) if end > begin]


def machine_drift(old: Mapping[str, Any], new: Mapping[str, Any]) -> float:
    """The largest share by which a figure of the machine differs between two runs."""
    return max((abs(after / before - 1) for before, after in _machine_figures(old, new)), default=0.0)


def _machine_figures(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    for group, names in (("bandwidth", ("read", "copy")), ("exponentials", ("float32", "float64"))):
        before, after = old.get(group) or {}, new.get(group) or {}
        yield from ((before[name], after[name]) for name in names if before.get(name) and after.get(name))


def _timed(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["status"] == "timed"]


def compared(record: Mapping[str, Any], old: Mapping[str, Any], percent: float | None) -> dict[str, Any]:
    """What a record says about an earlier one: "changes", the "drift" of the machine, and those that are "regressions", counted where
    `percent` is given. judged: whether both machines were fit for it.
    """
    found = changes(old, record)
    return {
        "changes": [change.to_dict() for change in found],
        "drift": machine_drift(old, record),
        "judged": not (old.get("too_busy") or record.get("too_busy")),
        "percent": percent,
        "regressions": 0 if percent is None else len(regressions(found, percent)),
    }
