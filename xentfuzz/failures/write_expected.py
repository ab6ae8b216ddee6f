"""Failures of today written down as the expected failures of tomorrow."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from xentfuzz.dtypes import FLOAT_NAMES
from xentfuzz.failures.expected import Expectations, parse_expectations
from xentfuzz.failures.failure import Failure
from xentfuzz.files import write_whole
from xentfuzz.recipes.recipe import recipe_from


def write_expected(path: str | Path, failures: Sequence[Failure]) -> int:
    """Add [[expected]] tables to `path` for each failure that none there meets, one for each check that its case fails.

    What is there stays as it is.

    Returns how many were added. Raises UsageError where the file is there and is wrong, OSError where it cannot be written.
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    known = parse_expectations(text, path.name)
    added = _new_tables(known, failures)
    if added:
        write_whole(path, "\n".join([text.rstrip("\n") + "\n" if text else "", *added]).lstrip("\n"))
    return len(added)


def _new_tables(known: Expectations, failures: Sequence[Failure]) -> list[str]:
    tables: list[str] = []
    for failure in failures:
        if known.matching(failure) is None:
            checks = {failure.check: failure.dtypes, **failure.fails_too}
            written = [_table(failure, check, {failure.dtype, *dtypes}) for check, dtypes in checks.items()]
            tables += written
            known += parse_expectations("\n".join(written), "the new tables")
    return tables


def _table(failure: Failure, check: str, found_in: Collection[str]) -> str:
    dtypes = [name for name in FLOAT_NAMES if name in found_in]
    lines = {
        "implementation": _string(failure.implementation),
        "check": _string(check),
        "operation": _string(failure.operation),
        "dtype": _string(dtypes[0]) if len(dtypes) == 1 else json.dumps(dtypes),
        "reason": _string(f"{failure.kind}: {failure.headline}"),
    }
    if failure.region:
        lines["when"] = _inline_table(failure.region)
    recipe = recipe_from(failure.recipe).one_line()
    # JSON is full of double quotes: a literal string keeps the line as it can be pasted to `xentfuzz replay`.
    lines["recipe"] = _string(recipe) if "'" in recipe else f"'{recipe}'"
    return "[[expected]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


def _inline_table(values: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in values.items()) + " }"


def _string(text: str) -> str:
    # A TOML basic string has the escapes of a JSON string.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
