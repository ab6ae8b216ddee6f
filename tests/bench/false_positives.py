"""How often the rank test calls identical code different: its false-positive rate, as in `compare` and as in `bench --baseline`.

python tests/bench/false_positives.py [COMPARISONS]

In turns: one implementation twice, under two names, each in a worker of its own. One after the other: a session against the next, as a
baseline is. Inputs that lie within a core's cache, within the shared one and beyond it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import xentfuzz
from xentfuzz.benchmark.baseline import SIGNIFICANCE, Change, changes
from xentfuzz.benchmark.busyness import OthersWatch
from xentfuzz.benchmark.grid import Grid
from xentfuzz.benchmark.session import Session
from xentfuzz.environment import available_cores
from xentfuzz.versions.times import NEW, OLD, time_changes

SHAPES = ((64, 50), (512, 1000), (64, 32000), (256, 8192))
NAMES = ("numba-cpu", "numpy")
SECONDS = 0.3  # for each shape and measure, both versions together


def timed(name: str) -> dict[str, Any]:
    grid = Grid(("float32",), SHAPES, seconds=SECONDS * 2 * len(SHAPES))
    session, watch = Session(grid, 0, available_cores(), isolate=True, with_memory=False), OthersWatch()
    session.run([replace(xentfuzz.get(name), name=version) for version in (OLD, NEW)])
    others = watch.result()
    # Counted by hand below, so that a busy machine is no excuse.
    return {"rows": session.rows, "too_busy": False, "busy": others is not None and others.too_busy}


def told(what: str, found: list[Change]) -> None:
    alone = sum(change.p < SIGNIFICANCE for change in found) / len(found)
    counted = sum(change.counts for change in found)
    words = f"p < {SIGNIFICANCE:g} in {alone:.1%}; counted as different: {counted} ({counted / len(found):.2%})"
    print(f"{what}: {len(found)} comparisons, {words}", flush=True)


def main(wanted: int) -> None:
    pairs: list[Change] = []
    separate: list[Change] = []
    busy = sessions = 0
    before: dict[str, dict[str, Any]] = {}
    while len(pairs) < wanted or not separate:
        for name in NAMES:
            record = timed(name)
            sessions, busy = sessions + 1, busy + record["busy"]
            pairs += time_changes(record)
            separate += changes(before[name], record) if name in before else []
            before[name] = record
    print(f"{sessions} sessions, {busy} of them on a machine too busy to judge")
    told("in turns", pairs)
    told("one after the other", separate)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
