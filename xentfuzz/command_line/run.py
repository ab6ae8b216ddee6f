"""`xentfuzz run`: checks, benchmark and report of every implementation that can run here."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import typer

from xentfuzz.command_line import options

EPILOG = "\b\nExamples:\n  xentfuzz run\n  xentfuzz run --profile quick --out report\n  xentfuzz run numpy kernel.py:loss --seed 1"


def run(
    targets: options.Targets = None,
    *,
    profile: options.Profile = "default",
    seed: options.Seed = None,
    out: options.Out = None,
    expect: options.Expect = None,
    python: options.Python = None,
    rename: options.Renames = None,
    fixed: options.Fixed = None,
    reduction: options.Reduction = None,
    max_classes: options.MaxClasses = None,
    max_rows: options.MaxRows = None,
    max_logit: options.MaxLogit = None,
    supports: options.Supports = None,
) -> int:
    """Check and benchmark all implementations and write a report."""
    from xentfuzz.benchmark.run import benchmark  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.command_line import values  # noqa: PLC0415
    from xentfuzz.command_line.course import Course  # noqa: PLC0415
    from xentfuzz.command_line.files import require_writable  # noqa: PLC0415
    from xentfuzz.command_line.listeners import listeners_for  # noqa: PLC0415
    from xentfuzz.command_line.targets import places, resolved, unnamed  # noqa: PLC0415
    from xentfuzz.errors import Unavailable  # noqa: PLC0415
    from xentfuzz.reports.folder import FailureFolder, folder_outputs  # noqa: PLC0415
    from xentfuzz.runner.check import run_checks  # noqa: PLC0415
    from xentfuzz.runner.profiles import get_profile  # noqa: PLC0415
    from xentfuzz.runner.recorded import packaged_recordings  # noqa: PLC0415
    from xentfuzz.runner.settings import Settings, choose_seed  # noqa: PLC0415

    folder = Path(out) if out else _fresh_folder()
    require_writable(str(folder / "results.json"))
    declared = values.told(rename, fixed, reduction, max_classes, max_rows, max_logit, supports, python)
    values.require_target(targets, declared)
    found = resolved(targets or (), **declared)
    implementations = list(found.values()) if targets else unnamed()
    course = Course()
    settings = Settings(
        kind="run",
        profile=get_profile(profile),
        seed=choose_seed(seed),
        isolate=True,
        expected=values.expectations(expect, implementations),
        recorded=packaged_recordings(),
        stored=True,
        targets=places(found),
        listeners=(course, FailureFolder(folder / "failures", sys.argv), *listeners_for(sys.argv, outputs=folder_outputs(folder))),
    )
    reports = run_checks(implementations, settings)
    if not course.interrupted:
        try:
            benchmark(implementations, profile=profile, seed=settings.seed, listeners=settings.listeners, isolate=True)
        except Unavailable as reason:
            typer.echo(f"xentfuzz: {reason}", err=True)
    typer.echo(f"report: {folder / ('report.html' if (folder / 'report.html').exists() else 'report.md')}")
    return course.status(reports, all_wanted=bool(targets))


def _fresh_folder() -> Path:
    """reports/<UTC time>, with a number behind it where that is taken."""
    plain = Path("reports") / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    numbered = (plain.with_name(f"{plain.name}-{number}") for number in range(2, 1000))
    return next(path for path in (plain, *numbered) if not path.exists())
