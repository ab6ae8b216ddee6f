"""`xentfuzz compare`: two versions of one kernel."""

from __future__ import annotations

import sys
import time
from typing import Any

from xentfuzz.command_line import options, status
from xentfuzz.files import STANDARD_OUTPUT, write_output

EPILOG = (
    "\b\nExamples:\n  xentfuzz compare ../released/kernel.py:loss kernel.py:loss\n"
    "  xentfuzz compare mylib:loss mylib:loss --python-old old/bin/python\n"
    "  xentfuzz compare old.py:loss new.py:loss --classes 16,1000 --dtype bfloat16\n\n"
    "Exit status: 1 where the new version has a new finding, takes less, or is\n"
    "less accurate, slower or needs more memory beyond the noise; else 0."
)


def compare(
    old: options.OldTarget,
    new: options.NewTarget,
    *,
    python_old: options.PythonOld = None,
    python_new: options.PythonNew = None,
    operation: options.Operation = None,
    array: options.Library = None,
    dtypes: options.TimedDtypes = None,
    rows: options.Rows = None,
    classes: options.Classes = None,
    shapes: options.Shapes = None,
    threads: options.Threads = None,
    profile: options.Profile = "quick",
    budget: options.Budget = None,
    seed: options.Seed = None,
    json: options.Json = None,
) -> int:
    """Tell what a new version of a kernel made worse."""
    from xentfuzz.benchmark.grid import changed_grid, get_grid  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.benchmark.run import thread_count  # noqa: PLC0415
    from xentfuzz.benchmark.statistics import require_pytest_benchmark  # noqa: PLC0415
    from xentfuzz.command_line import values  # noqa: PLC0415
    from xentfuzz.command_line.course import Course  # noqa: PLC0415
    from xentfuzz.command_line.files import require_writable  # noqa: PLC0415
    from xentfuzz.reports.screen import screen_for  # noqa: PLC0415
    from xentfuzz.reports.versions import progress_on, version_lines  # noqa: PLC0415
    from xentfuzz.runner.settings import choose_seed  # noqa: PLC0415
    from xentfuzz.subjects.target import resolve  # noqa: PLC0415
    from xentfuzz.versions.compare import compare_versions  # noqa: PLC0415

    require_pytest_benchmark()
    require_writable(json)
    thread_count(threads)
    chosen = values.operation(operation)
    first, second = (resolve(target, operation=chosen, array=array, python=path) for target, path in ((old, python_old), (new, python_new)))
    grid = changed_grid(
        get_grid(profile),
        operations=(first.operation,),
        dtypes=values.dtypes(dtypes),
        rows=values.sizes("--rows", rows),
        classes=values.sizes("--classes", classes),
        shapes=values.shapes(shapes),
    )
    screen, course, began = screen_for(sys.stderr if json == STANDARD_OUTPUT else sys.stdout), Course(), time.monotonic()
    record = compare_versions(
        first,
        second,
        grid,
        profile=profile,
        budget=budget,
        seed=choose_seed(seed),
        threads=threads,
        listeners=(course, progress_on(screen)),
    )
    screen.end_progress()
    screen.show(version_lines(record))
    if json is not None:
        write_output(json, _as_json(record, (old, new), (python_old, python_new), time.monotonic() - began))
    if record["interrupted"]:
        return status.INTERRUPTED
    if course.harness_failed:
        return status.INTERNAL
    return status.FINDINGS if record["worse"] else status.OK


def _as_json(record: dict[str, Any], targets: tuple[str, str], pythons: tuple[str | None, str | None], seconds: float) -> str:
    import json as json_library  # noqa: PLC0415

    from xentfuzz import __version__  # noqa: PLC0415
    from xentfuzz.reports.environment import environment  # noqa: PLC0415

    about = {"kind": "compare", "xentfuzz": __version__, "environment": environment(), "seconds": round(seconds, 3)}
    named = {name: {"given": target, "python": path} for name, target, path in zip(("old", "new"), targets, pythons, strict=True)}
    return json_library.dumps({**about, **named, **record}, indent=1) + "\n"
