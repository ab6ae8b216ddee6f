"""`xentfuzz power --causes`: how many findings each bug is told as."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from xentfuzz.command_line import status
from xentfuzz.command_line.collected import collected
from xentfuzz.command_line.files import require_writable
from xentfuzz.command_line.power import as_json
from xentfuzz.environment import available_cores
from xentfuzz.files import STANDARD_OUTPUT, write_output
from xentfuzz.power.causes import PLACE, Told, distribution, told_of_all
from xentfuzz.power.measurement import Task
from xentfuzz.power.selection import ALL_FAULTY, selected
from xentfuzz.power.summary import beyond
from xentfuzz.reports.lines import Line, counted, wrapped
from xentfuzz.reports.screen import screen_for
from xentfuzz.runner.profiles import get_profile


def count_findings(
    select: Sequence[str] | None, *, seeds: int, profile: str, budget: float | None, jobs: int | None, json: str | None
) -> int:
    """Check each bug of the gallery that is selected, or each place in code, to its end; print and store what it is told as."""
    require_writable(json)
    get_profile(profile)
    tasks = [Task(name, seed, profile, budget, shrink=True) for seed in range(seeds) for name in _names(select or [ALL_FAULTY], profile)]
    screen = screen_for(sys.stderr if json == STANDARD_OUTPUT else sys.stdout)
    found, interrupted = collected(told_of_all(tasks, jobs or available_cores()), len(tasks), lambda done: done.target, screen)
    screen.show(_lines(found))
    if json is not None:
        about = {"kind": "causes", "profile": profile, "seeds": seeds, "interrupted": interrupted, **distribution(found)}
        write_output(json, as_json({**about, "targets": [one.to_dict() for one in found]}))
    return status.INTERRUPTED if interrupted else status.OK


def _names(select: Sequence[str], profile: str) -> list[str]:
    named = [name for name in select if PLACE not in name]
    entries = [entry for entry in selected(named) if entry.honest is None and not beyond(profile, entry)] if named else []
    return [*(entry.id for entry in entries), *(name for name in select if PLACE in name)]


def _lines(found: Sequence[Told]) -> Iterator[Line]:
    for one in sorted(found, key=lambda one: (-len(one.found), one.target)):
        words = one.error or ", ".join(f"{check} ({kind})" for check, kind in one.found) or "nothing found"
        yield from wrapped(words, first=f"{one.target}: {len(one.found)}: ", rest="    ", style="red" if one.error else "")
    figures = distribution(found)
    yield Line()
    yield Line(
        f"findings for one cause, of {counted(int(figures['targets']), 'target')}: "
        f"median {figures['median']:g}, 90th percentile {figures['percentile_90']:g}, most {figures['most']:g}",
        "bold",
    )
