"""What the table and the page say."""

from __future__ import annotations

from xentfuzz.power.comparison.page import to_page
from xentfuzz.power.comparison.row import BUGS, EQUIVALENT, HONEST, MUTANTS, OWN, USUAL, Row, Verdicts
from xentfuzz.power.comparison.table import HEADER, SHORT_HEADER, figures, short_figures, tiers

USUAL_ROW = Row(
    "a | b",
    USUAL,
    "normals",
    "its tests",
    cases=5,
    dropped=2,
    seconds=0.126,
    sets={BUGS: Verdicts(["R02"], ["R04", "R60"], ["R43"]), MUTANTS: Verdicts(["M001"]), HONEST: Verdicts([], ["fused"], [], ["fused"])},
)
OWN_ROW = Row("xentfuzz quick", OWN, "", sets={BUGS: Verdicts(["R02", "R04", "R43"], [], ["R60"]), EQUIVALENT: Verdicts(["M002"], [])})


def test_the_table_counts():
    header, usual, own = figures([OWN_ROW, USUAL_ROW])
    assert header == HEADER
    assert usual == ("a | b", "1 of 4 (1 not tried)", "1 of 1", "0 of 1", "-", "1", "5", "2", "0.13")
    assert own == ("xentfuzz quick", "3 of 4 (1 not tried)", "-", "-", "1 of 1", "", "0", "", "0.00")


def test_the_short_table_fits_a_terminal():
    header, usual, _ = short_figures([USUAL_ROW, OWN_ROW])
    assert header == SHORT_HEADER
    assert usual == ("a | b", "1/4", "1/1", "0/1", "-", "5", "0.13")


def test_several_usual_ways_are_summed_up_before_ours():
    assert [line[0] for line in figures([OWN_ROW, USUAL_ROW, Row("c", USUAL, "")])[1:]] == ["a | b", "c", "all of these", "xentfuzz quick"]


def test_bugs_are_counted_by_tier():
    _, usual, _ = tiers([USUAL_ROW, OWN_ROW])
    assert sum(int(cell.split()[0]) for cell in usual[1:] if cell != "-") == 1


def test_the_page_holds_table_plot_sources_and_the_command():
    page = to_page([USUAL_ROW, OWN_ROW], "xentfuzz power ...")
    assert "| a \\| b | 1 of 4 (1 not tried) |" in page
    assert "](plot.svg)" in page
    assert "| a \\| b | normals | its tests |" in page
    assert "None of the usual ways finds: R04, R60." in page
    assert "`xentfuzz power ...`" in page
