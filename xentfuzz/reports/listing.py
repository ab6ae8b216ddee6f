"""The implementations that are known: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xentfuzz import __version__
from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.environment import without_paths
from xentfuzz.implementation import RANKS, Implementation
from xentfuzz.operations import get_operation
from xentfuzz.registry import availability
from xentfuzz.reports.document import SCHEMA_VERSION
from xentfuzz.reports.grade_words import grade_words
from xentfuzz.reports.lines import WIDTH, in_columns
from xentfuzz.runner.verdict import grade_text

HEADER = ("implementation", "operations", "takes")
NAMES = 22
OPERATIONS = 14
GAP = 2


def listing_lines(implementations: Sequence[Implementation]) -> list[str]:
    """A table of 80 columns; operations of one name that declare the same share a row."""
    groups: dict[tuple[str, str], list[str]] = {}
    for implementation in implementations:
        groups.setdefault((label(implementation), _takes(implementation)), []).append(implementation.operation)
    rows = [HEADER, *((name, ", ".join(operations), takes) for (name, takes), operations in groups.items())]
    return in_columns(rows, (NAMES, OPERATIONS, WIDTH - NAMES - OPERATIONS - 2 * GAP), GAP)


def label(implementation: Implementation) -> str:
    """The name, with "(simulator)" where it runs in one."""
    return f"{implementation.name} (simulator)" if implementation.simulator else implementation.name


def _takes(implementation: Implementation) -> str:
    reason = availability(implementation)
    return f"unavailable: {reason}" if reason is not None else "; ".join(_declarations(implementation))


def _loss_dtype_words(loss_dtype: str | Mapping[str, str]) -> str:
    if isinstance(loss_dtype, str):
        return loss_dtype
    return ", ".join(f"{its} for {dtype}" for dtype, its in loss_dtype.items())


def _declarations(implementation: Implementation) -> Iterator[str]:
    yield f"{implementation.array} arrays on {implementation.device}"
    yield _dtypes(implementation)
    yield f"grade {grade_words(grade_text(implementation))}"
    yield from _limits(implementation)
    if implementation.loss_dtype is not None:
        yield f"loss in {_loss_dtype_words(implementation.loss_dtype)}"
    if implementation.mutates:
        yield f"overwrites {', '.join(implementation.mutates)}"
    flags = {"aliases its results": implementation.aliases, "not deterministic": not implementation.deterministic}
    yield from (words for words, holds in (flags | {"not thread-safe": not implementation.thread_safe}).items() if holds)


def _limits(implementation: Implementation) -> Iterator[str]:
    """What it declares to support where that is less than everything; all of it is in the JSON."""
    supports = implementation.supports or {}
    targets = supports.get("targets", ())
    if len(targets) == 1 and len(get_operation(implementation.operation).target_kinds) > 1:
        yield f"{targets[0]} targets only"
    if set(supports.get("ranks", RANKS)) != set(RANKS):
        yield f"rank {_values(supports['ranks'])} only"
    if "layouts" in supports:
        yield f"layouts {_values(supports['layouts'])} only"
    yield from (f"{name} only {_values(values)}" for name, values in supports.get("options", {}).items() if values is not None)
    if "largest_class_count" in supports:
        yield f"at most {supports['largest_class_count']} classes"
    if "largest_row_count" in supports:
        yield f"at most {supports['largest_row_count']} rows"
    if "largest_logit" in supports:
        yield f"numbers up to {supports['largest_logit']:g}"
    if supports.get("class_count_divisor", 1) > 1:
        yield f"class counts that {supports['class_count_divisor']} divides"


def _dtypes(implementation: Implementation) -> str:
    if implementation.dtypes is None:
        return "dtypes not declared"
    return "every dtype" if set(implementation.dtypes) == set(FLOAT_NAMES) else ", ".join(implementation.dtypes)


def _values(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))


def listing_json(implementations: Sequence[Implementation]) -> str:
    """A JSON object: `implementations`, each with what it declares and `unavailable`, the reason or null."""
    entries = [_entry(implementation) for implementation in implementations]
    return json.dumps({"schema_version": SCHEMA_VERSION, "kind": "list", "xentfuzz": __version__, "implementations": entries}, indent=1)


def _entry(implementation: Implementation) -> dict[str, Any]:
    reason = availability(implementation)
    return {
        "implementation": implementation.name,
        "operation": implementation.operation,
        "array": implementation.array,
        "device": implementation.device,
        "simulator": implementation.simulator,
        "named_only": implementation.named_only,
        "dtypes": None if implementation.dtypes is None else list(implementation.dtypes),
        "supports": None if implementation.supports is None else dict(implementation.supports),
        "grade": implementation.grade if isinstance(implementation.grade, str) else dict(implementation.grade),
        "loss_dtype": dict(implementation.loss_dtype) if isinstance(implementation.loss_dtype, Mapping) else implementation.loss_dtype,
        "mutates": list(implementation.mutates),
        "aliases": implementation.aliases,
        "deterministic": implementation.deterministic,
        "thread_safe": implementation.thread_safe,
        "unavailable": None if reason is None else without_paths(reason),
    }
