"""What sections are made of: tables, and figures with their numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

LONG = 40


@dataclass(frozen=True)
class Cell:
    """mark: a class that colours it ("failed", "expected", "passed", "quiet", "wrong"); link: an anchor of the page; code: fixed width."""

    text: str
    mark: str = ""
    link: str = ""
    code: bool = False
    anchor: str = ""

    @property
    def classes(self) -> str:
        """What the style sheet knows it by; long texts keep a width at which they can be read."""
        return " ".join([self.mark] * bool(self.mark) + ["long"] * (len(self.text) > LONG))


@dataclass(frozen=True)
class Table:
    """caption: what it shows, which screen readers say first. right: columns of numbers. heading: whether the first cell names its row."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    right: frozenset[int] = frozenset()
    heading: bool = True
    visible_caption: bool = True

    @property
    def cells(self) -> list[list[Cell]]:
        return [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in self.rows]


@dataclass(frozen=True)
class Figure:
    """A plot: its title, a sentence that says what it shows, the SVG and the numbers in it."""

    title: str
    alternative: str
    svg: Markup
    table: Table


@dataclass(frozen=True)
class Section:
    """A part of the page. note: a paragraph before everything else. folded: parts that are opened by who wants them."""

    anchor: str
    title: str
    note: str = ""
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    folded: Sequence[tuple[str, Sequence[Table]]] = field(default_factory=tuple)
    lists: Sequence[tuple[str, Sequence[str]]] = field(default_factory=tuple)

    @property
    def empty(self) -> bool:
        return not (self.tables or self.figures or self.folded or self.lists)
