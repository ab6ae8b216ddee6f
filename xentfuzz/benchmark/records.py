"""The record of a benchmark: one row for each implementation, input and measure, as plain data.

    {"operation", "profile", "seed", "baseline", "interrupted", "seconds", "threads": {variable: value}, "load",
     "bandwidth": {"read", "copy", "threads"},
     "rows": [{"implementation", "dtype", "rows", "classes", "measure", "status", "reason", "functions", "recipe",
               "first_call_seconds", "bytes", "bytes_per_second", "share_of_bandwidth", "speed", "stats"}]}

load: the load average of the minute before. bandwidth: bytes per second, None where it was not measured.
status: "timed", or "failed", "error" (of xentfuzz), "unsupported", "simulator", "unavailable" without figures. bytes: the model of what
must move: the logits once for the loss, twice (read, and the gradient written) for loss and gradient.
share_of_bandwidth: of this machine's plain read or plain copy,
None off the CPU. speed: median time of the baseline / median time. stats: pytest-benchmark's, in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from xentfuzz.benchmark.bandwidth import Bandwidth
from xentfuzz.benchmark.contender import LOSS, Contender
from xentfuzz.benchmark.statistics import summarise
from xentfuzz.dtypes import FORMATS

Row = dict[str, Any]


@dataclass(frozen=True)
class Point:
    """One input: logits of (rows, classes) in `dtype`."""

    dtype: str
    rows: int
    classes: int

    def bytes_moved(self, measure: str) -> int:
        logits = self.rows * self.classes * FORMATS[self.dtype].bits // 8
        return logits if measure == LOSS else 2 * logits


def row_without_time(implementation: str, point: Point, measure: str, status: str, reason: str) -> Row:
    return {"implementation": implementation, **asdict(point), "measure": measure, "status": status, "reason": reason}


def row_of(contender: Contender, point: Point, bandwidth: Bandwidth, recipe: dict[str, Any]) -> Row:
    """The row of a contender after its rounds; without figures where it is not "timed"."""
    row = row_without_time(contender.name, point, contender.measure, contender.status, contender.reason)
    row |= {"functions": list(contender.functions), "recipe": recipe}
    if not contender.active:
        return row
    stats = summarise(contender.seconds)
    moved = point.bytes_moved(contender.measure)
    rate = moved / stats["median"]
    plain = bandwidth.read if contender.measure == LOSS else bandwidth.copy
    on_cpu = contender.trial.subject.implementation.device == "cpu"
    return row | {
        "first_call_seconds": contender.first_call,
        "bytes": moved,
        "bytes_per_second": rate,
        "share_of_bandwidth": rate / plain if on_cpu else None,
        "speed": None,
        "stats": stats,
    }


def add_speed(rows: Iterable[Row], baseline: str) -> None:
    """Enter into every timed row how many times as fast as the baseline it is, where the baseline was timed on that input."""
    timed = [row for row in rows if row["status"] == "timed"]
    medians = {_input(row): row["stats"]["median"] for row in timed if row["implementation"] == baseline}
    for row in timed:
        if _input(row) in medians:
            row["speed"] = medians[_input(row)] / row["stats"]["median"]


def _input(row: Row) -> tuple[Any, ...]:
    return row["dtype"], row["rows"], row["classes"], row["measure"]
