from __future__ import annotations

from collections import Counter

import pytest

from xentfuzz.recipes.choices import BLOCK, WIDTH, Table, chance, pick, stratified


class Fixed:
    """Choices that are given."""

    def __init__(self, *indices: int) -> None:
        self.indices = list(indices)

    def index(self, count: int) -> int:
        chosen = self.indices.pop(0)
        assert chosen < count
        return chosen


def test_a_table_gives_each_option_as_many_indices_as_it_weighs():
    table = Table([("a", 3), ("none", 0), ("b", 1)])
    assert [table.pick(Fixed(index)) for index in range(4)] == ["a", "a", "a", "b"]


def test_a_table_without_options_is_refused():
    with pytest.raises(ValueError, match="positive weight"):
        Table([("a", 0)])


def test_the_first_option_is_the_simplest():
    assert pick(Fixed(0), "xyz") == "x"
    assert not chance(Fixed(0), 99)
    assert chance(Fixed(99), 1)


def test_every_choice_is_spread_evenly_over_a_block():
    cases = stratified(seed=5, block=0)
    assert len(cases) == BLOCK
    for _ in range(WIDTH):
        assert Counter(case.index(BLOCK) for case in cases) == Counter(range(BLOCK))


def test_an_option_of_two_in_a_hundred_is_met_in_every_block():
    for block in range(20):
        assert any(chance(case, 2) for case in stratified(1, block))


def test_choices_of_a_case_are_independent():
    cases = [case for block in range(40) for case in stratified(2, block)]
    pairs = Counter((case.index(4), case.index(4)) for case in cases)
    expected = len(cases) / 16
    assert all(abs(pairs[a, b] - expected) < 5 * expected**0.5 for a in range(4) for b in range(4))


def test_choices_are_recorded():
    case = stratified(0, 0)[0]
    assert [case.index(count) for count in (1, 5, 5)] == case.record
