"""Text for a terminal: lines with a style, wrapped paragraphs and tables, 80 columns wide unless told otherwise. Standard library only."""

from __future__ import annotations

import contextlib
import re
import textwrap
from collections.abc import Container, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

WIDTH = 80
# Narrower than the first, tables can't be read; wider than the second, paragraphs can't.
NARROWEST, WIDEST = 40, 100

_columns: ContextVar[int] = ContextVar("columns", default=WIDTH)


def columns() -> int:
    """How wide lines are made here."""
    return _columns.get()


@contextlib.contextmanager
def at_columns(number: int) -> Iterator[None]:
    """Within it, lines are made for a terminal of so many columns."""
    before = _columns.set(min(max(number, NARROWEST), WIDEST))
    try:
        yield
    finally:
        _columns.reset(before)


@dataclass(frozen=True)
class Line:
    """One line; `style` is a rich style ("bold red") that only terminals with colour see."""

    text: str = ""
    style: str = ""


# What moves a cursor, changes a colour or cannot be written as UTF-8: an exception's message may hold anything.
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with what a terminal should not get shown as an escape."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def wrapped(text: str, first: str = "", rest: str | None = None, style: str = "") -> list[Line]:
    """A paragraph as lines; the first begins with `first`, the others with `rest` (blanks of the same width where None)."""
    rest = " " * len(first) if rest is None else rest
    lines = textwrap.wrap(
        printable(text),
        columns(),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=True,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    return [Line(line, style) for line in lines or [first.rstrip()]]


def labelled(label: str, text: str, width: int, style: str = "") -> list[Line]:
    """A paragraph behind a label in a column of its own, `width` characters wide."""
    return wrapped(text, first=f"{label:<{width}}", style=style)


def copyable(label: str, text: str, width: int, style: str = "") -> list[Line]:
    """A path behind its label, in one piece whatever its length: what is wrapped can't be copied.

    Where both don't fit one line, the text has a line of its own, the only kind that may be wider than a line.
    """
    whole = f"{label:<{width}}{printable(text)}"
    return [Line(whole, style)] if len(whole) <= columns() else [Line(label.rstrip(), style), Line(printable(text), style)]


def first_of(lines: Sequence[Line], most: int) -> list[Line]:
    """At most so many lines of a paragraph; the last one says where some are left out."""
    if len(lines) <= most:
        return list(lines)
    *whole, last = lines[:most]
    return [*whole, Line(f"{last.text[: columns() - 4].rstrip(' .')} ...", last.style)]


def clipped(text: str, width: int | None = None) -> str:
    """The text on one line, its end left out where it is longer than `width` (None: a line)."""
    width = columns() if width is None else width
    text = " ".join(printable(text).split())
    return text if len(text) <= width else f"{text[: width - 3]}..."


def squeezed(name: str, width: int) -> str:
    """The name, its middle left out where it is longer than `width`: names differ at both ends."""
    name = printable(name)
    if len(name) <= width:
        return name
    head = (width - 3) * 2 // 3
    return f"{name[:head]}...{name[len(name) - (width - 3 - head) :]}"


def table(rows: Sequence[Sequence[str]], right: Container[int] = (), gap: int = 2) -> list[str]:
    """Rows as lines with aligned columns; the columns in `right` are right-aligned."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]

    def aligned(row: Sequence[str]) -> str:
        cells = (
            f"{cell:>{width}}" if index in right else f"{cell:<{width}}"
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return (" " * gap).join(cells).rstrip()

    return [aligned(row) for row in rows]


def in_columns(rows: Sequence[Sequence[str]], widths: Sequence[int], gap: int = 2, indent: str = "") -> list[str]:
    """Rows as lines with columns of given widths; a cell that is longer goes on in the next line of its row. The first cell is indented."""
    lines = []
    for row in rows:
        indents = [indent, *[""] * (len(row) - 1)]
        cells = [_cell_lines(*cell) for cell in zip(row, widths, indents, strict=True)]
        for part in range(max(map(len, cells))):
            texts = [cell[part] if part < len(cell) else "" for cell in cells]
            lines.append((" " * gap).join(f"{text:<{width}}" for text, width in zip(texts, widths, strict=True)).rstrip())
    return lines


def _cell_lines(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(printable(text), width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False) or [""]


def counted(number: int, noun: str) -> str:
    """Such as "1 case" and "3 cases"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
