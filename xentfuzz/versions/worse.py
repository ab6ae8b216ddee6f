"""What became worse, a line each: what `xentfuzz compare` ends with status 1 for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xentfuzz.benchmark.records import shape_words

MIB = 1 << 20


def worse(record: Mapping[str, Any]) -> list[str]:
    """Of a record of `compare_versions`, which may lack what an interruption left out."""
    return [*_findings(record), *_errors(record), *_costs(record)]


def _findings(record: Mapping[str, Any]) -> Iterator[str]:
    for found in record["findings"]["new"]:
        yield f"new finding: {found['check']} ({found['kind']}), {found['dtype']}: {found['message'].partition(chr(10))[0]}"
    if record["no_longer_taken"]:
        yield f"no longer taken: {', '.join(record['no_longer_taken'])}"
    for row in record.get("wrong_when_timed", ()):
        yield f"wrong when it was timed: {row['measure']}, {row['dtype']}, {shape_words(row)}: {row['reason']}"


def _errors(record: Mapping[str, Any]) -> Iterator[str]:
    for row in record.get("errors", ()):
        if row["counts"]:
            yield (
                f"less accurate: {row['function']}, {row['dtype']}: error / allowed error grew by half in {row['grown']} of {row['cases']} "
                f"cases and shrank so in {row['shrunk']}; at worst {float(row['old_worst']):.3g} -> {float(row['new_worst']):.3g}"
            )


def _costs(record: Mapping[str, Any]) -> Iterator[str]:
    for change in record.get("times", ()):
        if change["counts"] and change["percent"] > 0:
            what = f"{change['measure']}, {change['dtype']}, {shape_words(change)}"
            yield f"slower: {what}: {change['percent']:+.0f} %, p = {change['p']:.1g}"
    for row in record.get("memory", ()):
        if row["grew"]:
            what = f"{row['measure']}, {row['dtype']}, {shape_words(row)}"
            yield f"more memory: {what}: {row['old'] / MIB:.1f} -> {row['new'] / MIB:.1f} MiB at the peak"
