"""Interleaved rounds: the machine's slow and fast moments fall on every implementation alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from xentfuzz.benchmark.contender import Contender

LEAST_TURNS = 5
MOST_ROUNDS = 800


def run_rounds(contenders: Sequence[Contender], seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
    """Give every active contender a turn after the other, the first one changing, for about `seconds`; at least LEAST_TURNS turns each.

    A contender of which one call takes longer than `seconds` has one turn.
    """
    end = clock() + seconds
    turn = 0
    while turn < LEAST_TURNS or clock() < end:
        playing = [contender for contender in contenders if _wants_turn(contender, seconds)]
        if not playing:
            break
        for contender in _rotated(playing, turn):
            contender.turn()
        turn += 1
    for contender in contenders:
        if contender.active:
            contender.confirm()


def _wants_turn(contender: Contender, seconds: float) -> bool:
    done = contender.seconds
    return contender.active and len(done) < MOST_ROUNDS and not (done and done[0] > seconds)


def _rotated(contenders: list[Contender], turn: int) -> list[Contender]:
    first = turn % len(contenders)
    return contenders[first:] + contenders[:first]
