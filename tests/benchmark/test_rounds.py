from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from xentfuzz.benchmark.rounds import LEAST_TURNS, MOST_ROUNDS, run_rounds


@dataclass
class Player:
    """Stands for a contender: notes whose turn it was."""

    name: str
    log: list[str]
    call_seconds: float = 0.1
    rounds: int = 1
    breaks_after: int = 1 << 30
    seconds: list[float] = field(default_factory=list)
    active: bool = True
    confirmed: bool = False

    def turn(self) -> None:
        self.log.append(self.name)
        self.seconds += [self.call_seconds] * self.rounds
        self.active = len(self.seconds) < self.breaks_after

    def confirm(self) -> None:
        self.confirmed = True


def play(players: list[Any], seconds: float = 1.0) -> None:
    """A second passes between one look at the clock and the next."""
    run_rounds(players, seconds, clock=itertools.count().__next__)


def test_turns_alternate_and_the_first_one_changes() -> None:
    log: list[str] = []
    play([Player(name, log) for name in "abc"])
    assert "".join(log[:9]) == "abcbcacab"


@pytest.mark.parametrize(("seconds", "turns"), [(1.0, LEAST_TURNS), (100.0, 99 + LEAST_TURNS), (1000.0, MOST_ROUNDS)])
def test_rounds_last_as_long_as_asked_but_never_fewer_than_the_least(seconds: float, turns: int) -> None:
    log: list[str] = []
    play([Player("a", log)], seconds)
    assert len(log) == turns


def test_a_contender_that_breaks_has_no_further_turn() -> None:
    log: list[str] = []
    play([Player("a", log), Player("b", log, breaks_after=2)])
    assert log.count("b") == 2
    assert log.count("a") == LEAST_TURNS


def test_a_contender_slower_than_the_whole_time_has_one_turn() -> None:
    log: list[str] = []
    play([Player("a", log), Player("b", log, call_seconds=9.0)], 5.0)
    assert log.count("b") == 1


def test_nobody_left_to_play_ends_the_rounds() -> None:
    log: list[str] = []
    play([Player("a", log, breaks_after=1)], 1000.0)
    assert log == ["a"]
