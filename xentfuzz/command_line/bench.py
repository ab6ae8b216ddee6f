"""`xentfuzz bench`: times of results that have just been verified."""

from __future__ import annotations

import sys
import time

from xentfuzz.command_line.options import Baseline, Html, Json, Profile, Seed, Targets, TimedDtypes

EPILOG = (
    "\b\nExamples:\n  xentfuzz bench\n  xentfuzz bench numpy kernel.py:loss --profile quick\n"
    "  xentfuzz bench kernel.py:loss --json times.json"
)


def bench(  # noqa: PLR0917 - the program passes them by name
    targets: Targets = None,
    dtypes: TimedDtypes = None,
    baseline: Baseline = None,
    profile: Profile = "default",
    seed: Seed = None,
    json: Json = None,
    html: Html = None,
) -> int:
    """Time loss and gradient of verified results over many shapes."""
    from xentfuzz.benchmark.grid import get_grid  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.benchmark.run import benchmark, require_timed  # noqa: PLC0415
    from xentfuzz.command_line import values  # noqa: PLC0415
    from xentfuzz.command_line.course import Course  # noqa: PLC0415
    from xentfuzz.command_line.files import require_writable  # noqa: PLC0415
    from xentfuzz.command_line.listeners import listeners_for  # noqa: PLC0415
    from xentfuzz.command_line.targets import everything, named  # noqa: PLC0415
    from xentfuzz.runner.events import Listener, RunFinished, RunStarted  # noqa: PLC0415
    from xentfuzz.runner.settings import choose_seed  # noqa: PLC0415

    get_grid(profile)
    formats = values.dtypes(dtypes)
    require_writable(json, html)
    implementations = named(targets) if targets else everything()
    require_timed(baseline, implementations)
    course, seed, began = Course(), choose_seed(seed), time.monotonic()
    listeners: list[Listener] = [course, *listeners_for(sys.argv, json=json, html=html)]
    for listener in listeners:
        listener(RunStarted("bench", seed, profile, len(implementations)))
    benchmark(
        implementations,
        profile=profile,
        seed=seed,
        listeners=listeners,
        isolate=True,
        baseline=baseline,
        dtypes=formats,
    )
    for listener in listeners:
        listener(RunFinished(time.monotonic() - began, course.interrupted))
    return course.status((), all_wanted=bool(targets))
