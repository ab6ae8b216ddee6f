"""Rows of the table: what they count, and how stored ones are merged."""

from __future__ import annotations

import json

import pytest

from xentfuzz.errors import RecordError
from xentfuzz.gallery.catalogue import entry
from xentfuzz.gallery.mutants import mutants
from xentfuzz.power.comparison.row import BUGS, EQUIVALENT, HONEST, MUTANTS, OWN, USUAL, Row, Verdicts, merged, set_of, together

FIRST = Row("first", USUAL, "", cases=2, dropped=1, seconds=0.5, sets={BUGS: Verdicts(["R02"], ["R04"], ["R43"])})
SECOND = Row(
    "second", USUAL, "", cases=3, seconds=0.25, sets={BUGS: Verdicts(["R04"], ["R02"], ["R43"], ["R02"]), HONEST: Verdicts([], ["fused"])}
)


def test_a_set_for_every_kind_of_entry():
    kinds = {one.honest is None: one for one in mutants().values()}
    assert [set_of(one) for one in (entry("R02"), entry("fused"), kinds[True], kinds[False])] == [BUGS, HONEST, MUTANTS, EQUIVALENT]


def test_a_row_comes_back_from_json():
    assert Row.from_dict(json.loads(json.dumps(FIRST.to_dict()))) == FIRST


@pytest.mark.parametrize("stored", [{}, {"name": "x", "sets": {}}, {"sets": 3}, {**FIRST.to_dict(), "more": 1}])
def test_what_is_no_row_is_refused(stored):
    with pytest.raises(RecordError, match="measure it again"):
        Row.from_dict(stored)


def test_together_is_what_any_way_finds():
    row = together([FIRST, SECOND, Row("own", OWN, "", cases=100, sets={BUGS: Verdicts(["R43"])})])
    assert (row.cases, row.dropped, row.seconds) == (5, 1, 0.75)
    assert row.sets[BUGS] == Verdicts(["R02", "R04"], [], ["R43"], [])
    assert row.sets[HONEST] == Verdicts([], ["fused"], [], [])
    assert row.sets[BUGS].total == 3


def test_later_rows_replace_sets_of_the_same_name():
    newer = Row("first", USUAL, "", sets={HONEST: Verdicts(["fused"])})
    (row,) = merged([FIRST, newer])
    assert row.sets == {BUGS: FIRST.sets[BUGS], HONEST: newer.sets[HONEST]}
    assert (row.cases, row.seconds) == (2, 0.5)
    assert [row.name for row in merged([FIRST, SECOND, newer])] == ["first", "second"]
