"""Plots as inline SVG: lines, bars and points, in the colours of the page's style sheet, so that they follow its light and dark mode.

Written by hand, because a plot that takes its colours from the page and its text from the page's font is no picture: matplotlib's SVG fixes
both, at ten times the size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 680, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 14, 44
SERIES = 8  # colours of the style sheet; further series begin again, with another marker
MARKERS = ("circle", "square", "diamond")


@dataclass(frozen=True)
class Point:
    """low, high: the ends of its spread, None where there is none."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    label: str = ""


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis from `low` to `high`, both positive."""

    title: str
    low: float
    high: float

    def share(self, value: float) -> float:
        """Where a value lies, from 0 at `low` to 1 at `high`."""
        return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))

    def ticks(self) -> list[float]:
        """Powers of ten within; where these are fewer than two, 1, 2 and 5 times them."""
        exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for factors in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), tuple(map(float, range(1, 10)))):
            found = [factor * 10.0**exponent for exponent in exponents for factor in factors]
            within = [tick for tick in found if self.low * 0.999 <= tick <= self.high * 1.001]
            if len(within) > 2:
                return within
        return [self.low, self.high]


def axis(title: str, values: Sequence[float]) -> Axis:
    """An axis around positive values, with some room."""
    low, high = min(values), max(values)
    room = max((high / low) ** 0.06, 1.15)
    return Axis(title, low / room, high * room)


def short(value: float) -> str:
    """A number in few characters: 0.05, 3, 1000, 32k, 5e+14."""
    if value >= 1e6:
        return f"{value:.1g}" if value >= 1e7 else f"{value / 1e6:.3g}M"
    if value >= 10_000:
        return f"{value / 1000:.3g}k"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


Colours = Mapping[str, int]  # name -> its number among the colours, so that it has the same one in every plot of a page


def line_plot(
    series: Mapping[str, Sequence[Point]], x: str, y: str, roofs: Mapping[str, float] | None = None, colours: Colours | None = None
) -> Markup:
    """Lines with markers over two logarithmic axes; `roofs`: horizontal lines with their names."""
    numbers = _colours(series, colours)
    points = [point for line in series.values() for point in line]
    across = axis(x, [point.x for point in points])
    up = axis(y, [*(value for point in points for value in _extent(point)), *(roofs or {}).values()])
    body = [_frame(across, up)]
    body += [_roof(name, value, up, index) for index, (name, value) in enumerate((roofs or {}).items())]
    body += [_line(line, across, up, numbers[name]) for name, line in series.items()]
    return _svg(body, HEIGHT) + _legend(numbers)


def _colours(names: Iterable[str], known: Colours | None) -> dict[str, int]:
    """A name that has no number yet gets one that no other has."""
    numbers = dict(known or {})
    for name in names:
        numbers.setdefault(name, len(numbers))
    return {name: numbers[name] for name in names}


def scatter_plot(points: Mapping[str, Point], x: str, y: str, colours: Colours | None = None) -> Markup:
    """A marker for each name, which stands in the legend."""
    numbers = _colours(points, colours)
    across = axis(x, [point.x for point in points.values()])
    up = axis(y, [point.y for point in points.values()])
    marks = [_marker(_across(point.x, across), _up(point.y, up), numbers[name]) for name, point in points.items()]
    return _svg([_frame(across, up), *marks], HEIGHT) + _legend(numbers)


def bar_plot(bars: Mapping[str, Point], x: str, reference: float | None = None, colours: Colours | None = None) -> Markup:
    """Horizontal bars on a logarithmic axis; each Point's x with its spread. reference: a value that a vertical line marks."""
    height = TOP + BOTTOM + 30 * len(bars)
    values = [value for bar in bars.values() for value in _extent(bar, of="x")] + ([reference] if reference else [])
    across = axis(x, [*values, max(values) * 1.3])  # room for the label of the longest
    label = max(len(name) for name in bars) * 7 + 12
    left = min(max(label, LEFT), 240)
    parts = [Markup('<line class="axis" x1="{0}" y1="{1}" x2="{2}" y2="{1}"/>').format(left, height - BOTTOM, WIDTH - RIGHT)]
    parts += [_tick(tick, across, height, left) for tick in across.ticks()]
    parts.append(_text(left + (WIDTH - RIGHT - left) / 2, height - 6, across.title, "middle"))
    if reference:
        place = _across(reference, across, left)
        parts.append(Markup('<line class="roof" x1="{0}" y1="{1}" x2="{0}" y2="{2}"/>').format(_number(place), TOP, height - BOTTOM))
    numbers = _colours(bars, colours)
    for place, (name, bar) in enumerate(bars.items()):
        parts.append(_bar(name, bar, across, left, place, number=numbers[name]))
    return _svg(parts, height)


def heat_map(rows: Sequence[str], columns: Sequence[str], values: Mapping[tuple[str, str], float]) -> Markup:
    """A cell for each value of [0, 1], darker for larger ones; what has no value is left out."""
    left, cell, height = max(len(name) for name in rows) * 7 + 20, 26, 26
    width = left + max(110, 90) * len(columns)
    parts = [_text(left + 110 * column + 55, 14, name, "middle") for column, name in enumerate(columns)]
    for row, name in enumerate(rows):
        top = 22 + height * row
        parts.append(_text(left - 8, top + 17, name, "end"))
        parts += [
            _heat(values[name, column], left + 110 * place, top, cell) for place, column in enumerate(columns) if (name, column) in values
        ]
    return _svg(parts, 26 + height * len(rows), width)


def histogram(buckets: Sequence[str], series: Mapping[str, Sequence[float]], x: str, y: str) -> Markup:
    """Bars side by side in each bucket, a colour for each name; their heights are shares, printed in percent."""
    top = max(max(shares) for shares in series.values())
    step = next(step for step in (0.05, 0.1, 0.2, 0.25) if top / step <= 5)
    highest = step * math.ceil(top / step + 1e-9)
    width = (WIDTH - RIGHT - LEFT) / len(buckets)
    parts = [_level(step * number, highest) for number in range(round(highest / step) + 1)]
    parts += [_text(LEFT + width * (place + 0.5), HEIGHT - BOTTOM + 18, name, "middle") for place, name in enumerate(buckets)]
    parts += [_text(LEFT + (WIDTH - RIGHT - LEFT) / 2, HEIGHT - 6, x, "middle"), _sideways(y)]
    bar = 0.84 * width / len(series)
    for number, shares in enumerate(series.values()):
        parts += [
            _upright(LEFT + width * (place + 0.08) + bar * number, bar, share / highest, number)
            for place, share in enumerate(shares)
            if share
        ]
    return _svg(parts, HEIGHT) + _legend(_colours(series, None))


def _level(share: float, highest: float) -> Markup:
    y = _number(HEIGHT - BOTTOM - share / highest * (HEIGHT - TOP - BOTTOM))
    line = Markup('<line class="grid" x1="{0}" y1="{1}" x2="{2}" y2="{1}"/>').format(LEFT, y, WIDTH - RIGHT)
    return line + _text(LEFT - 8, float(y) + 4, f"{share:.0%}", "end")


def _upright(x: float, width: float, share: float, number: int) -> Markup:
    height = max(share * (HEIGHT - TOP - BOTTOM), 1)
    return Markup('<rect class="mark-{0}" x="{1}" y="{2}" width="{3}" height="{4}"/>').format(
        number % SERIES, _number(x), _number(HEIGHT - BOTTOM - height), _number(max(width - 1, 1)), _number(height)
    )


def _sideways(text: str) -> Markup:
    middle = _number(TOP + (HEIGHT - TOP - BOTTOM) / 2)
    return Markup('<text transform="translate(14 {0}) rotate(-90)" text-anchor="middle">{1}</text>').format(middle, text)


def _heat(value: float, left: float, top: float, height: int) -> Markup:
    strength = min(max(value, 0.0), 1.0)
    text_class = "heat-strong" if strength > 0.55 else ""
    box = Markup('<rect class="heat" style="fill-opacity:{0}" x="{1}" y="{2}" width="106" height="{3}"/>').format(
        f"{0.08 + 0.8 * strength:.2f}", left + 2, top, height - 3
    )
    return box + Markup('<text class="{0}" x="{1}" y="{2}" text-anchor="middle">{3}</text>').format(
        text_class, left + 55, top + 16, short(value)
    )


def _extent(point: Point, of: str = "y") -> list[float]:
    middle = point.x if of == "x" else point.y
    return [middle, *(value for value in (point.low, point.high) if value)]


def _svg(parts: Sequence[Markup], height: int, width: int = WIDTH) -> Markup:
    return Markup('<svg viewBox="0 0 {0} {1}" aria-hidden="true" focusable="false">{2}</svg>').format(width, height, Markup("").join(parts))


def _across(value: float, axis_: Axis, left: float = LEFT) -> float:
    return left + axis_.share(value) * (WIDTH - RIGHT - left)


def _up(value: float, axis_: Axis) -> float:
    return HEIGHT - BOTTOM - axis_.share(value) * (HEIGHT - TOP - BOTTOM)


def _number(value: float) -> str:
    return f"{value:.1f}"


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{0}" y="{1}" text-anchor="{2}">{3}</text>').format(_number(x), _number(y), anchor, text)


def _frame(across: Axis, up: Axis) -> Markup:
    parts = [_tick(tick, across, HEIGHT, LEFT) for tick in across.ticks()]
    for tick in up.ticks():
        y = _number(_up(tick, up))
        parts.append(Markup('<line class="grid" x1="{0}" y1="{1}" x2="{2}" y2="{1}"/>').format(LEFT, y, WIDTH - RIGHT))
        parts.append(_text(LEFT - 8, float(y) + 4, short(tick), "end"))
    parts.append(_text(LEFT + (WIDTH - RIGHT - LEFT) / 2, HEIGHT - 6, across.title, "middle"))
    parts.append(_sideways(up.title))
    return Markup("").join(parts)


def _tick(tick: float, across: Axis, height: int, left: float) -> Markup:
    x = _number(_across(tick, across, left))
    line = Markup('<line class="grid" x1="{0}" y1="{1}" x2="{0}" y2="{2}"/>').format(x, TOP, height - BOTTOM)
    return line + _text(float(x), height - BOTTOM + 18, short(tick), "middle")


def _roof(name: str, value: float, up: Axis, index: int) -> Markup:
    y = _number(_up(value, up))
    line = Markup('<line class="roof" x1="{0}" y1="{1}" x2="{2}" y2="{1}"/>').format(LEFT, y, WIDTH - RIGHT)
    return line + _text(WIDTH - RIGHT - 4 - 150 * (index % 2), float(y) - 5, name, "end")


def _line(points: Sequence[Point], across: Axis, up: Axis, number: int) -> Markup:
    places = [(_across(point.x, across), _up(point.y, up)) for point in points]
    path = " ".join(f"{_number(x)},{_number(y)}" for x, y in places)
    line = Markup('<polyline class="series-{0}" points="{1}"/>').format(number % SERIES, path)
    spreads = [
        Markup('<line class="series-{0}" x1="{1}" y1="{2}" x2="{1}" y2="{3}"/>').format(
            number % SERIES, _number(x), _number(_up(point.low, up)), _number(_up(point.high, up))
        )
        for (x, _), point in zip(places, points, strict=True)
        if point.low and point.high
    ]
    return line + Markup("").join(spreads) + Markup("").join(_marker(x, y, number) for x, y in places)


def _marker(x: float, y: float, number: int) -> Markup:
    kind, colour = MARKERS[number // SERIES % len(MARKERS) if number >= SERIES else number % len(MARKERS)], f"mark-{number % SERIES}"
    if kind == "circle":
        return Markup('<circle class="{0}" cx="{1}" cy="{2}" r="4"/>').format(colour, _number(x), _number(y))
    turn = f"rotate(45 {_number(x)} {_number(y)})" if kind == "diamond" else ""
    return Markup('<rect class="{0}" x="{1}" y="{2}" width="8" height="8" transform="{3}"/>').format(
        colour, _number(x - 4), _number(y - 4), turn
    )


def _bar(name: str, bar: Point, across: Axis, left: float, place: int, *, number: int) -> Markup:
    top = TOP + 30 * place
    end = _across(bar.x, across, left)
    parts = [
        _text(left - 8, top + 18, name, "end"),
        Markup('<rect class="mark-{0}" x="{1}" y="{2}" width="{3}" height="18"/>').format(
            number % SERIES, _number(left), _number(top + 4), _number(max(end - left, 1))
        ),
    ]
    if bar.low and bar.high:
        low, high = (_number(_across(value, across, left)) for value in (bar.low, bar.high))
        parts.append(Markup('<line class="spread" x1="{0}" y1="{2}" x2="{1}" y2="{2}"/>').format(low, high, _number(top + 13)))
    beyond = max(end, _across(bar.high, across, left) if bar.high else end)
    parts.append(_text(min(beyond + 6, WIDTH - 44), top + 18, bar.label or short(bar.x), "start"))
    return Markup("").join(parts)


def _legend(numbers: Colours) -> Markup:
    entries = [
        Markup('<li><svg viewBox="0 0 12 12" aria-hidden="true" focusable="false">{0}</svg>{1}</li>').format(
            _marker(6, 6, number), escape(name)
        )
        for name, number in numbers.items()
    ]
    return Markup('<ul class="legend">{0}</ul>').format(Markup("").join(entries))
