"""`xentfuzz power`: how many of the gallery's bugs are found, and whether an honest implementation is accused."""

from __future__ import annotations

import json as json_library
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from xentfuzz.command_line import status
from xentfuzz.command_line.options import Budget, Causes, Compare, ComparisonFolder, Jobs, Json, Profile, Seeds, Select, Shrink, Usual
from xentfuzz.errors import UsageError
from xentfuzz.files import STANDARD_OUTPUT, write_output

if TYPE_CHECKING:
    from xentfuzz.power.summary import Summary

EPILOG = (
    "\b\nExamples:\n  xentfuzz power --profile quick\n  xentfuzz power --select R02 --select STRIDE --seeds 5\n"
    "  xentfuzz power --select honest --json power.json\n  xentfuzz power --usual --json usual.json\n"
    "  xentfuzz power --compare usual.json --compare power.json --out comparison"
)


def power(
    select: Select = None,
    *,
    seeds: Seeds = 1,
    profile: Profile = "default",
    budget: Budget = None,
    jobs: Jobs = None,
    shrink: Shrink = False,
    json: Json = None,
    causes: Causes = False,
    usual: Usual = False,
    compare: Compare = None,
    out: ComparisonFolder = None,
) -> int:
    """Measure what the checks find: real bugs, and false alarms."""
    if causes:
        from xentfuzz.command_line.power_causes import count_findings  # noqa: PLC0415 - the commands are imported together, for --help too

        return count_findings(select, seeds=seeds, profile=profile, budget=budget, jobs=jobs, json=json)
    if usual or compare:
        _refuse_options_of_a_search(seeds, profile, budget, shrink=shrink)
        if select and not usual:
            raise UsageError("--select chooses what --usual measures; --compare takes all that its files hold")
        return _compare(select, compare or [], jobs=jobs, usual=usual, json=json, out=out)
    if out is not None:
        raise UsageError("--out writes a comparison: give --compare FILE.json or --usual too")
    from xentfuzz.command_line.collected import collected  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.command_line.files import require_writable  # noqa: PLC0415
    from xentfuzz.command_line.power_text import lines_of  # noqa: PLC0415
    from xentfuzz.environment import available_cores  # noqa: PLC0415
    from xentfuzz.power.measurement import Task, measure_all  # noqa: PLC0415
    from xentfuzz.power.selection import selected  # noqa: PLC0415
    from xentfuzz.power.summary import beyond, summaries  # noqa: PLC0415
    from xentfuzz.reports.screen import screen_for  # noqa: PLC0415
    from xentfuzz.runner.profiles import get_profile  # noqa: PLC0415

    require_writable(json)
    get_profile(profile)
    entries = selected(select)
    tasks = [Task(entry.id, seed, profile, budget, shrink) for seed in range(seeds) for entry in entries if not beyond(profile, entry)]
    screen = screen_for(sys.stderr if json == STANDARD_OUTPUT else sys.stdout)
    began = time.monotonic()
    measured, interrupted = collected(measure_all(tasks, jobs or available_cores()), len(tasks), lambda done: done.entry, screen)
    found = summaries(measured)
    screen.show(lines_of(found, [entry for entry in entries if beyond(profile, entry)]))
    if json is not None:
        seconds = round(time.monotonic() - began, 3)
        write_output(json, as_json(_document(found, {"profile": profile, "seeds": seeds, "seconds": seconds, "interrupted": interrupted})))
    if interrupted:
        return status.INTERRUPTED
    return status.OK if all(summary.ok for summary in found) else status.FINDINGS


def _refuse_options_of_a_search(seeds: int, profile: str, budget: float | None, *, shrink: bool) -> None:
    given = {"--seeds": seeds != 1, "--profile": profile != "default", "--budget": budget is not None, "--shrink": shrink}
    names = [name for name, is_given in given.items() if is_given]
    if names:
        raise UsageError(f"{', '.join(names)} with --usual or --compare: these ways of checking have none of that")


def _compare(
    select: Sequence[str] | None, compare: Sequence[str], *, jobs: int | None, usual: bool, json: str | None, out: str | None
) -> int:
    """The table of stored results, with the usual ways measured or without."""
    from xentfuzz.command_line import power_comparison as comparison  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.command_line.files import require_writable  # noqa: PLC0415
    from xentfuzz.environment import available_cores  # noqa: PLC0415
    from xentfuzz.power.comparison.row import merged  # noqa: PLC0415
    from xentfuzz.power.selection import selected  # noqa: PLC0415
    from xentfuzz.reports.screen import screen_for  # noqa: PLC0415

    require_writable(json, *comparison.files_in(out))
    screen = screen_for(sys.stderr if json == STANDARD_OUTPUT else sys.stdout)
    rows, interrupted = comparison.stored(compare), False
    if usual:
        measured, interrupted = comparison.examined(selected(select), jobs or available_cores(), screen)
        rows = merged([*rows, *measured])
    comparison.show(rows, screen)
    document = _document([], {"interrupted": interrupted, "comparison": [row.to_dict() for row in rows]})
    if json is not None:
        write_output(json, as_json(document))
    if out is not None:
        comparison.write_folder(out, document, rows)
    return comparison.exit_status(interrupted=interrupted)


def as_json(document: dict[str, Any]) -> str:
    return json_library.dumps(document, indent=1) + "\n"


def _document(found: Sequence[Summary], about: dict[str, Any]) -> dict[str, Any]:
    from xentfuzz import __version__  # noqa: PLC0415
    from xentfuzz.environment import reduced_command  # noqa: PLC0415
    from xentfuzz.reports.document import SCHEMA_VERSION  # noqa: PLC0415
    from xentfuzz.reports.environment import environment  # noqa: PLC0415

    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "power",
        "xentfuzz": __version__,
        "environment": environment(),
        "command": reduced_command(sys.argv),
        "seed": 0,
        **about,
        "reports": [summary.to_dict() for summary in found],
    }
