"""What must not leave the machine with a report: folders, which name users, hosts and projects."""

from __future__ import annotations

from typing import Any

import msgspec

from xentfuzz.environment import without_paths
from xentfuzz.reports.document import ReportEntry


def scrubbed_report(report: ReportEntry) -> ReportEntry:
    """The report with every absolute path in its texts made relative."""
    return msgspec.convert(_scrubbed(msgspec.to_builtins(report)), ReportEntry)


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return without_paths(value)
    if isinstance(value, dict):
        # A script begins with the path of its interpreter and is made without paths of the machine.
        return {key: item if key == "script" else _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(item) for item in value]
    return value
