"""`xentfuzz check`: one target, or some, held against the exact results."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from xentfuzz.command_line import options

if TYPE_CHECKING:
    from xentfuzz.runner.results import CheckReport

EPILOG = (
    "\b\nExamples:\n  xentfuzz check kernel.py:cross_entropy\n  xentfuzz check mypackage.losses:softmax --operation softmax\n"
    "  xentfuzz check kernel.py:loss --backward kernel.py:grad --input batch.npz"
)


def check(
    targets: options.RequiredTargets,
    *,
    operation: options.Operation = None,
    backward: options.Backward = None,
    value_and_grad: options.ValueAndGrad = None,
    array: options.Library = None,
    device: options.Device = None,
    dtypes: options.Dtypes = None,
    grade: options.Grade = None,
    python: options.Python = None,
    env: options.Variables = None,
    rename: options.Renames = None,
    fixed: options.Fixed = None,
    reduction: options.Reduction = None,
    max_classes: options.MaxClasses = None,
    max_rows: options.MaxRows = None,
    max_logit: options.MaxLogit = None,
    supports: options.Supports = None,
    checks: options.Checks = None,
    require: options.Require = None,
    profile: options.Profile = "default",
    max_examples: options.MaxExamples = None,
    budget: options.Budget = None,
    seed: options.Seed = None,
    recording: options.Input = None,
    expect: options.Expect = None,
    write_expected: options.WriteExpected = None,
    isolate: options.Isolate = True,
    json: options.Json = None,
    junit: options.Junit = None,
    markdown: options.Markdown = None,
    html: options.Html = None,
    summary: options.Summary = None,
    verbose: options.Verbose = False,
) -> int:
    """Check kernels: every option, dtype, layout and edge case."""
    from xentfuzz.command_line import values  # noqa: PLC0415 - the commands are imported together, for --help too
    from xentfuzz.command_line.course import Course  # noqa: PLC0415
    from xentfuzz.command_line.files import require_file, require_writable  # noqa: PLC0415
    from xentfuzz.command_line.listeners import listeners_for  # noqa: PLC0415
    from xentfuzz.command_line.targets import places, resolved  # noqa: PLC0415
    from xentfuzz.runner.check import run_checks  # noqa: PLC0415
    from xentfuzz.runner.profiles import get_profile  # noqa: PLC0415
    from xentfuzz.runner.recorded import load_recorded  # noqa: PLC0415
    from xentfuzz.runner.settings import Settings, choose_seed  # noqa: PLC0415

    require_writable(json, junit, markdown, html, summary, write_expected)
    require_file(recording)
    declared = {
        **values.told(rename, fixed, reduction, max_classes, max_rows, max_logit, supports, python),
        "backward": backward,
        "value_and_grad": value_and_grad,
        "array": array,
        "device": device,
        "grade": values.grade(grade),
    }
    found = resolved(targets, operation=values.operation(operation), environment=values.variables(env), isolate=isolate, **declared)
    implementations = list(found.values())
    course = Course()
    settings = Settings(
        kind="check",
        profile=get_profile(profile),
        seed=choose_seed(seed),
        examples=max_examples,
        budget=budget,
        isolate=isolate,
        checks=values.check_names(checks),
        dtypes=values.dtypes(dtypes),
        expected=values.expectations(expect, implementations),
        recorded=(load_recorded(recording),) if recording else (),
        require=values.features(require),
        targets=places(found),
        stored=True,
        listeners=(
            course,
            *listeners_for(sys.argv, json=json, junit=junit, markdown=markdown, html=html, summary=summary, verbose=verbose),
        ),
    )
    reports = run_checks([values.with_dtypes(implementation, settings.dtypes) for implementation in implementations], settings)
    if write_expected is not None:
        _write_expected(write_expected, reports)
    return course.status(reports, all_wanted=True)


def _write_expected(path: str, reports: Sequence[CheckReport]) -> None:
    from xentfuzz.failures.write_expected import write_expected  # noqa: PLC0415
    from xentfuzz.reports.lines import counted  # noqa: PLC0415

    added = write_expected(path, [failure for report in reports for failure in report.unexpected])
    typer.echo(f"added {counted(added, 'expected failure')} to {path}", err=True)
