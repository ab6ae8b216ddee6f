"""`xentfuzz bench`: times of results that have just been verified."""

from __future__ import annotations

import sys
import time

from xentfuzz.command_line.options import (
    Baseline,
    BenchmarkJson,
    Classes,
    FailOnRegression,
    Fixed,
    Growth,
    Html,
    Json,
    MaxClasses,
    MaxLogit,
    MaxRows,
    Profile,
    Python,
    Quick,
    Reduction,
    RelativeTo,
    Renames,
    Rows,
    Seed,
    Shapes,
    Supports,
    Targets,
    Threads,
    TimedDtypes,
    TimedOperations,
)

EPILOG = (
    "\b\nExamples:\n  xentfuzz bench --quick\n  xentfuzz bench kernel.py:loss numpy\n"
    "  xentfuzz bench kernel.py:loss --classes 16,1000,128000 --dtype bfloat16\n"
    "  xentfuzz bench numpy --shape 8x21x128x128 --threads 1\n"
    "  xentfuzz bench kernel.py:loss --baseline times.json --fail-on-regression 10\n"
    "  xentfuzz bench --operation softmax --benchmark-json times.json"
)


def bench(  # noqa: PLR0917 - the program passes them by name
    targets: Targets = None,
    operations: TimedOperations = None,
    dtypes: TimedDtypes = None,
    rows: Rows = None,
    classes: Classes = None,
    shapes: Shapes = None,
    threads: Threads = None,
    growth: Growth = False,  # noqa: FBT002 - the program passes options by name
    relative_to: RelativeTo = None,
    baseline: Baseline = None,
    fail_on_regression: FailOnRegression = None,
    profile: Profile = "default",
    quick: Quick = False,  # noqa: FBT002 - the program passes options by name
    seed: Seed = None,
    json: Json = None,
    benchmark_json: BenchmarkJson = None,
    html: Html = None,
    python: Python = None,
    rename: Renames = None,
    fixed: Fixed = None,
    reduction: Reduction = None,
    max_classes: MaxClasses = None,
    max_rows: MaxRows = None,
    max_logit: MaxLogit = None,
    supports: Supports = None,
) -> int:
    """Time verified results over many shapes."""
    from xentfuzz.benchmark.baseline import stored_record  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.benchmark.grid import changed_grid, get_grid  # noqa: PLC0415
    from xentfuzz.benchmark.run import benchmark, require_timed, thread_count  # noqa: PLC0415
    from xentfuzz.command_line import values  # noqa: PLC0415
    from xentfuzz.command_line.course import Course  # noqa: PLC0415
    from xentfuzz.command_line.files import require_writable  # noqa: PLC0415
    from xentfuzz.command_line.listeners import listeners_for  # noqa: PLC0415
    from xentfuzz.command_line.targets import timed_targets  # noqa: PLC0415
    from xentfuzz.errors import UsageError  # noqa: PLC0415
    from xentfuzz.reports.folder import benchmark_json as rendered  # noqa: PLC0415
    from xentfuzz.reports.recorder import Output  # noqa: PLC0415
    from xentfuzz.runner.events import Listener, RunFinished, RunStarted  # noqa: PLC0415
    from xentfuzz.runner.settings import choose_seed  # noqa: PLC0415

    profile = "quick" if quick else profile
    grid = changed_grid(
        get_grid(profile),
        operations=values.operations(operations),
        dtypes=values.dtypes(dtypes),
        rows=values.sizes("--rows", rows),
        classes=values.sizes("--classes", classes),
        shapes=values.shapes(shapes),
        growth=growth,
    )
    slower = values.percent(fail_on_regression)
    if slower is not None and baseline is None:
        raise UsageError("--fail-on-regression needs the earlier times to compare with: --baseline FILE")
    before = None if baseline is None else stored_record(baseline)
    require_writable(json, benchmark_json, html)
    thread_count(threads)
    declared = values.told(rename, fixed, reduction, max_classes, max_rows, max_logit, supports, python)
    values.require_target(targets, declared)
    implementations = timed_targets(targets, grid.operations, **declared)
    require_timed(relative_to, implementations, grid)
    course, seed, began = Course(), choose_seed(seed), time.monotonic()
    outputs = [] if benchmark_json is None else [Output(benchmark_json, rendered)]
    listeners: list[Listener] = [course, *listeners_for(sys.argv, json=json, html=html, outputs=outputs)]
    for listener in listeners:
        listener(RunStarted("bench", seed, profile, len(implementations)))
    benchmark(
        implementations,
        profile=profile,
        grid=grid,
        seed=seed,
        listeners=listeners,
        isolate=True,
        relative_to=relative_to,
        threads=threads,
        before=before,
        fail_on_regression=slower,
    )
    for listener in listeners:
        listener(RunFinished(time.monotonic() - began, course.interrupted))
    return course.status((), all_wanted=bool(targets))
