"""What must not leave the machine with a report: folders, which name users, hosts and projects."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
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


def reduced_command(arguments: list[str]) -> list[str]:
    """A command line by the program's name, with absolute paths reduced to names. A path may hold blanks, unlike in running text."""
    return ["xentfuzz", *map(_reduced_argument, arguments[1:])]


def _reduced_argument(argument: str) -> str:
    option, equals, value = argument.partition("=")
    if equals and option.startswith("-"):
        return f"{option}={_reduced_argument(value)}"
    path = next((path for path in (PurePosixPath(argument), PureWindowsPath(argument)) if path.is_absolute()), None)
    return path.name if path else argument
