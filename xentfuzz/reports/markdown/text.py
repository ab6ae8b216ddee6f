"""Pieces of Markdown: tables, code that may hold anything, folded blocks."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Container[int] = ()) -> list[str]:
    """A table; the columns in `right` are right-aligned. No lines where there are no rows."""
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    if not lines:
        return []
    rule = ["---:" if index in right else "---" for index in range(len(header))]
    return [f"| {' | '.join(header)} |", f"|{'|'.join(rule)}|", *lines]


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", r"\|")


def code(text: str) -> str:
    """Inline code; the text may hold backticks."""
    ticks = _ticks(text, 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fenced(text: str, language: str = "text") -> list[str]:
    """A block of code; the text may hold fences."""
    fence = _ticks(text, 3)
    return [f"{fence}{language}", *text.splitlines(), fence]


def _ticks(text: str, least: int) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * (max(least, longest + 1) if longest else least)


def folded(summary: str, lines: Iterable[str]) -> list[str]:
    """A block that is opened by a click where HTML is shown."""
    return [f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"]
