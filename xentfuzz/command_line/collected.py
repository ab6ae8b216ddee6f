"""Outcomes of many tasks, as they come in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Outcome = TypeVar("Outcome")


def collected(outcomes: Iterable[Outcome], total: int, name: Callable[[Outcome], str], screen: Any) -> tuple[list[Outcome], bool]:
    """All outcomes, or those that there were when the user interrupted, which the second value tells; the screen is told of each."""
    done: list[Outcome] = []
    try:
        for outcome in outcomes:
            done.append(outcome)
            screen.progress(name(outcome), len(done), total)
    except KeyboardInterrupt:
        return done, True
    finally:
        screen.end_progress()
    return done, False
