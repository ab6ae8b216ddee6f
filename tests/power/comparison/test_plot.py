"""The plot shows every row, is small, and is the same each time."""

from __future__ import annotations

import math

from xentfuzz.power.comparison.plot import percentage, to_svg
from xentfuzz.power.comparison.row import BUGS, HONEST, OWN, USUAL, Row, Verdicts

ROWS = [
    Row("first way", USUAL, "", sets={BUGS: Verdicts(["R02"], ["R04"]), HONEST: Verdicts(["fused"], [])}),
    Row("ours", OWN, "", sets={BUGS: Verdicts(["R02", "R04"])}),
]


def test_shares_are_of_all_in_the_set():
    assert percentage(Verdicts(["R02"], ["R04"], ["R43", "R60"])) == 25
    assert math.isnan(percentage(Verdicts()))


def test_every_row_is_shown():
    svg = to_svg(ROWS)
    assert ">first way<" in svg
    assert ">ours<" in svg
    assert len(svg) < 60_000


def test_the_same_figures_give_the_same_file():
    assert to_svg(ROWS) == to_svg(ROWS)
