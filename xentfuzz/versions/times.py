"""Times and memory of two versions that were timed in turns: which differences exceed the noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xentfuzz.benchmark.baseline import Change, change_of
from xentfuzz.benchmark.records import Row, input_of

OLD, NEW = "old", "new"
# By how much the peak of memory must rise to count, in bytes and as a share: an allocator rounds up.
MEMORY_BYTES, MEMORY_SHARE = 1 << 20, 0.1


def time_changes(record: Mapping[str, Any]) -> list[Change]:
    """Of everything that both versions have a time for. The machine is the same for both, as they took turns."""
    fit = not record["too_busy"]
    return [change_of(old, new, drift=0.0, fit=fit) for old, new in _pairs(record["rows"]) if _timed(old) and _timed(new)]


def failed_when_timed(record: Mapping[str, Any]) -> list[Row]:
    """Rows of the new version that were found wrong when they were timed, where those of the old one were right."""
    return [new for old, new in _pairs(record["rows"]) if _timed(old) and new["status"] == "failed"]


def memory_changes(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of everything whose peak of memory was measured for both; grew: by more than an allocator's rounding."""
    return [_memory(old, new) for old, new in _pairs(record["memory"]) if old["rise"] is not None and new["rise"] is not None]


def _memory(old: Row, new: Row) -> dict[str, Any]:
    before, after = old["rise"], new["rise"]
    grew = after - before > max(MEMORY_BYTES, MEMORY_SHARE * before)
    return {name: new[name] for name in ("operation", "measure", "dtype", "shape")} | {"old": before, "new": after, "grew": grew}


def _pairs(rows: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
    """Rows of the two versions on the same input, got in the same way."""
    before = {_key(row, OLD): row for row in rows if row["implementation"].startswith(OLD)}
    for row in rows:
        if row["implementation"].startswith(NEW) and _key(row, NEW) in before:
            yield before[_key(row, NEW)], row


def _key(row: Row, version: str) -> tuple[Any, ...]:
    return row["implementation"].removeprefix(version), *input_of(row)


def _timed(row: Row) -> bool:
    return bool(row["status"] == "timed")
